"""What a flow would do, found out without doing it: a planner for every flow that changes something.

`plan.py` says what a plan is; `planners.py` which planner is whose. Planners only look.
"""
