"""From a request to what is done with it: rules in order, and a choice between weighted target groups; pure."""

from __future__ import annotations

from collections.abc import Mapping

from tyrell.local.balancers.conditions import Facts, compile_condition
from tyrell.local.balancers.config import Action, Forward, Listener, Redirect, Rule


class Spread:
    """A choice between names that gives each its share of any run of choices, evenly spread.

    Smooth weighted round robin as nginx has it: a weight of 1 in 100 is chosen once in every hundred, never twice
    in a row by chance. https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    """

    def __init__(self, weights: Mapping[str, int]) -> None:
        self.weights = {name: weight for name, weight in weights.items() if weight > 0}
        self._total = sum(self.weights.values())
        self._credit = dict.fromkeys(self.weights, 0)

    def choose(self) -> str | None:
        """The next name, or None when no name has a weight."""
        if not self.weights:
            return None
        for name, weight in self.weights.items():
            self._credit[name] += weight
        chosen = max(self._credit, key=self._credit.__getitem__)
        self._credit[chosen] -= self._total
        return chosen


class Route:
    """A rule, ready for requests."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._tests = [compile_condition(condition) for condition in rule.conditions]
        self.spread = Spread(rule.action.weights if isinstance(rule.action, Forward) else {})

    @property
    def action(self) -> Action:
        """What the rule says to do."""
        return self.rule.action

    def takes(self, facts: Facts) -> bool:
        """Whether all conditions of the rule hold."""
        return all(test(facts) for test in self._tests)


class Routes:
    """The rules of one listener."""

    def __init__(self, listener: Listener, before: Routes | None = None) -> None:
        """`before` hands on the rules that stayed as they were, so that the spread of their requests goes on."""
        known = {route.rule.arn: route for route in before._routes} if before else {}
        self._routes: list[Route] = [
            known[rule.arn] if rule.arn in known and known[rule.arn].rule == rule else Route(rule)
            for rule in listener.rules
        ]

    def find(self, facts: Facts) -> Route:
        """The first rule that takes the request; the last one, the default, takes all."""
        return next(route for route in self._routes if route.takes(facts))


def redirect_location(redirect: Redirect, facts: Facts, port: int) -> str:
    """The Location of a redirect answered on `port`.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html
    """
    own = {
        "#{protocol}": "HTTP",
        "#{host}": facts.host.partition(":")[0],
        "#{port}": str(port),
        "#{path}": facts.path.removeprefix("/"),
        "#{query}": facts.query,
    }

    def filled(template: str) -> str:
        for keyword, value in own.items():
            template = template.replace(keyword, value)
        return template

    query = filled(redirect.query)
    authority = f"{filled(redirect.host)}:{filled(redirect.port)}"
    return f"{filled(redirect.protocol).lower()}://{authority}{filled(redirect.path)}" + (f"?{query}" if query else "")
