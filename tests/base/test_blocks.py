import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from viner.base import blocks


def expanded(seed, rows, columns):
    """A random matrix of the block form: some block weight has the quant 0, as the form's quantizer makes it."""
    random = np.random.default_rng(seed)
    quants = random.integers(0, 16, (rows * columns // 32, 32))
    quants[np.arange(len(quants)), random.integers(0, 32, len(quants))] = 0
    scales = random.normal(0, 0.1, len(quants)).astype(np.float16)
    scales[random.random(len(quants)) < 0.1] = 0
    return ((quants - 8).astype(np.float32) * scales.astype(np.float32)[:, None]).astype(np.float16).reshape(rows, columns)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([32, 96]))
def test_a_matrix_of_the_block_form_comes_back_bit_by_bit(seed, rows, columns):
    matrix = expanded(seed, rows, columns)
    packed = blocks.pack(matrix)
    assert packed is not None
    assert np.array_equal(blocks.unpack(*packed, columns).view(np.uint16), matrix.view(np.uint16))


def test_packing_takes_four_and_a_half_bits_a_weight():
    quants, scales = blocks.pack(expanded(0, 64, 64))
    assert quants.nbytes + scales.nbytes == 64 * 64 * 4.5 / 8


def test_any_other_matrix_is_refused_and_not_rounded():
    assert blocks.pack(np.random.default_rng(0).normal(size=(4, 64)).astype(np.float16)) is None
    assert blocks.pack(np.zeros((4, 33), dtype=np.float16)) is None
    assert blocks.pack(np.zeros(64, dtype=np.float16)) is None
    assert blocks.pack(np.full((1, 32), np.nan, dtype=np.float16)) is None
