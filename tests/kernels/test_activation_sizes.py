"""activation's best variant takes other ways for little, for more, and for what no cache keeps: all are right."""

SMALL, THREADED, STREAMED = 4099, 40_001, 4_194_319


def test_every_way_of_the_best_variant_is_right_and_stays_inside_its_array(gpuplay):
    words = ("activation", "--on", "cpu:parallel", "--baseline", "none", "--cell-time", "0.02s", "--json")
    done = gpuplay(*words, "--sizes", f"{SMALL},{THREADED},{STREAMED}")
    assert done.code == 0, done.err
    assert [(cell["size"], cell["status"]) for cell in done.results] == [
        (size, "ok") for size in (SMALL, THREADED, STREAMED)
    ]
