from __future__ import annotations

import pytest

from vistterstream.resources.names import check_name, check_part_name, check_subdomain


@pytest.mark.parametrize("name", ["a", "0", "wharf", "wharf-2", "a" * 63])
def test_a_label_is_a_name(name: str) -> None:
    assert check_name(name) == name
    assert check_subdomain(name) == name
    assert check_part_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Wharf", "a_b", "a b", "-a", "a-", "a.", ".", "..", "a/b", "a\n", "é", "a\x00"]
)
def test_what_could_leave_its_folder_or_confuse_kubernetes_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        check_name(name)
    with pytest.raises(ValueError, match="is not a name"):
        check_subdomain(name)


def test_only_subdomains_have_dots() -> None:
    assert check_subdomain("a.b-c.d") == "a.b-c.d"
    with pytest.raises(ValueError, match="is not a name"):
        check_name("a.b")
    with pytest.raises(ValueError, match="is not a name"):
        check_subdomain("a." * 127 + "a")


@pytest.mark.parametrize("name", ["Logo", "lower_third", "v1.2", "a-B"])
def test_parts_have_more_freedom(name: str) -> None:
    assert check_part_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a]b", "-a", "a" * 64, "a\n"])
def test_but_not_all(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        check_part_name(name)
