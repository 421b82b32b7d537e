"""What makes two machine images the same, for a kind and for one role."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.bake_keys import bake_key, changed_inputs, concerning, digest, input_tags, tagged_inputs

INPUTS = {"units": digest("u"), "programs": digest("p"), "image:router": digest("r"), "image:target": digest("t")}
names = st.sampled_from([*INPUTS, "base", "scripts"])


@given(st.permutations(list(INPUTS)))
def test_the_order_of_the_inputs_does_not_matter(order: list[str]) -> None:
    assert bake_key({name: INPUTS[name] for name in order}) == bake_key(INPUTS)


@given(names, st.text(min_size=1))
def test_every_other_input_gives_another_key_and_is_named(name: str, text: str) -> None:
    other = INPUTS | {name: digest(f"other {text}")}
    assert bake_key(other) != bake_key(INPUTS)
    assert changed_inputs(other, input_tags(INPUTS)) == (name,)
    assert changed_inputs(INPUTS, input_tags(other)) == (name,)


def test_an_input_that_went_has_changed() -> None:
    fewer = {name: value for name, value in INPUTS.items() if name != "units"}
    assert changed_inputs(fewer, input_tags(INPUTS)) == ("units",)


def test_tags_of_somebody_else_are_no_inputs() -> None:
    tags = input_tags(INPUTS) | {"Name": "x", "tyrell:kind": "link"}
    assert changed_inputs(INPUTS, tags) == ()
    assert tagged_inputs(tags).keys() == INPUTS.keys()


def test_a_role_is_concerned_by_its_own_image_and_by_what_all_roles_share() -> None:
    assert concerning("router", INPUTS) == ("units", "programs", "image:router")
