"""What benchmarks build by hand, past the public interface, is what the engine takes."""

import numpy as np

from bench import moments
from onevoice.compiler import compile_playbook


def test_the_columns_of_the_moments_benchmark_are_those_of_a_batch():
    compiled = compile_playbook(moments.playbook(moments.drawn_steps(1, seed=7)))
    columns = moments.columns_of(compiled.schema, np.array([0, 1]), np.array([1, 2]))
    assert (columns.customers == -1).all()
    assert len(moments.prepared(compiled, rows=1).progress)
