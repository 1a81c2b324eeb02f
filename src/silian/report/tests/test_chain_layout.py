import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from silian.report import chain_layout, views
from silian.report.tests import small

LINKS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=20)


@given(LINKS)
def test_layers_puts_every_product_behind_its_inputs_unless_they_form_a_circle(links):
    depth = chain_layout.layers("abcdefgh", links)

    assert list(depth) == list("abcdefgh")
    reach = {a: {b for x, b in links if x == a and b != a} for a in "abcdefgh"}
    for _ in "abcdefgh":
        reach = {a: to | {c for b in to for c in reach[b]} for a, to in reach.items()}
    for a, b in links:
        if a != b and a not in reach[b]:
            assert depth[a] < depth[b]


@given(LINKS, st.randoms())
def test_layers_depends_on_no_order(links, random):
    shuffled = links[:]
    random.shuffle(shuffled)

    assert chain_layout.layers("abcdefgh", links) == chain_layout.layers("abcdefgh", shuffled)


def test_layers_counts_a_circle_from_its_smallest_id():
    assert chain_layout.layers(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a")]) == {"a": 0, "b": 1, "c": 2}


@given(LINKS)
def test_layout_gives_every_product_a_place_of_its_own(links):
    places = chain_layout.layout("abcdefgh", links)

    assert len(set(places.values())) == 8


def test_layout_draws_a_product_without_inputs_near_what_is_made_of_it():
    places = chain_layout.layout(["ore", "steel", "bolt", "car"], [("ore", "steel"), ("steel", "car"), ("bolt", "car")])

    assert [places[i][0] for i in ("ore", "steel", "bolt", "car")] == [0, 1, 1, 2]


def test_layout_sets_products_without_links_below():
    places = chain_layout.layout(["a", "b", "alone"], [("a", "b")])

    assert places["alone"][1] > max(places["a"][1], places["b"][1])


def test_graph_keeps_gaps_and_their_neighbours_when_room_is_short():
    region, results = small.region(), small.results()
    states = views.product_states(region["products"], region["makes"], region["product_links"], results["gaps"])

    nodes, links, left = chain_layout.graph(states, views.inputs(region["product_links"]), most=3)

    assert nodes["product_id"].to_list() == ["p1", "p2", "p3"]
    assert links.rows() == [("p1", "p2"), ("p2", "p3")]
    assert left == 2


def test_graph_leaves_its_tables_as_they_were():
    states = pl.DataFrame({"product_id": ["a"], "state": ["made"], "rank": [None]}, schema_overrides={"rank": pl.Int64})

    nodes, _, _ = chain_layout.graph(states, pl.DataFrame({"upstream_id": ["a"], "downstream_id": ["b"]}), most=5)

    assert states.columns == ["product_id", "state", "rank"]
    assert nodes.select("layer", "row").rows() == [(0, 0.0)]
