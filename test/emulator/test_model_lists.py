"""The models in service on both surfaces."""

import pytest


@pytest.fixture
def get(emulator, http):
    """Fetch a path; the answer is (status, JSON)."""

    def fetch(path: str, **query):
        answer = http.get(f"{emulator.url}/{path}", params=query, timeout=5)
        return answer.status_code, answer.json()

    return fetch


def test_one_model_is_described(get) -> None:
    status, body = get("compatible-mode/v1/models/qwen-plus")

    assert (status, body["id"], body["object"], body["owned_by"]) == (200, "qwen-plus", "model", "system")


def test_a_model_that_never_was_is_not_found(get) -> None:
    status, body = get("compatible-mode/v1/models/gpt-9")

    assert (status, body["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("retired", "status", "code"), [("403", 403, "access_denied"), ("404", 404, "model_not_found"), ("served", 200, "")]
)
def test_a_retired_model_is_refused_as_scripted(get, scenario, retired: str, status: int, code: str) -> None:
    scenario(models={"retired": retired})

    answered, body = get("compatible-mode/v1/models/qwen-vl-plus")

    assert (answered, body.get("error", {"code": ""})["code"]) == (status, code)


def test_the_list_holds_the_retired_only_where_they_are_served(get, scenario) -> None:
    _, usual = get("compatible-mode/v1/models")
    scenario(models={"retired": "served"})
    _, before = get("compatible-mode/v1/models")

    assert "qwen-turbo" in {m["id"] for m in before["data"]} - {m["id"] for m in usual["data"]}


def test_all_pages_together_are_the_list(get) -> None:
    names, page = [], 1
    while rows := get("api/v1/models", page_no=page, page_size=7)[1]["output"]["models"]:
        names += [row["model"] for row in rows]
        page += 1

    _, whole = get("compatible-mode/v1/models")
    total = get("api/v1/models")[1]["output"]["total"]
    assert names == [m["id"] for m in whole["data"]] and total == len(names)


def test_a_page_is_ten_long_unless_asked(get) -> None:
    _, body = get("api/v1/models")

    assert (len(body["output"]["models"]), body["output"]["page_no"], body["output"]["page_size"]) == (10, 1, 10)


def test_one_model_can_be_looked_for(get) -> None:
    _, found = get("api/v1/models", model="qwen-plus", page_no=1, page_size=1)
    _, missing = get("api/v1/models", model="qwen-turbo")

    assert [row["model"] for row in found["output"]["models"]] == ["qwen-plus"]
    assert missing["output"]["total"] == 0


@pytest.mark.parametrize("query", [{"page_no": 0}, {"page_size": "-1"}, {"page_no": "one"}, {"page_size": ""}])
def test_a_page_that_is_none_is_refused(get, query: dict) -> None:
    status, body = get("api/v1/models", **query)

    assert (status, body["code"]) == (400, "InvalidParameter") and next(iter(query)) in body["message"]


def test_tasks_are_paged_by_the_same_rule(get) -> None:
    assert get("api/v1/tasks", page_size=0)[0] == 400
    assert get("api/v1/tasks", page_no=1, page_size=5)[1]["page_size"] == 5
