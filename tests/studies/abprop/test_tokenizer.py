"""Ids as AbProp numbers them."""

from hypothesis import given
from hypothesis import strategies as st

from probatum.studies.abprop.tokenizer import AMINO_ACIDS, TOKENS, UNKNOWN, VOCABULARY_SIZE, decode, encode


def test_the_vocabulary_is_that_of_abprop():
    assert VOCABULARY_SIZE == len(TOKENS) == 25
    assert TOKENS[:4] == ("<pad>", "<bos>", "<eos>", "<mask>")
    assert encode(AMINO_ACIDS).tolist() == [1, *range(4, 24), 2]


def test_what_is_no_amino_acid_is_x():
    assert encode("BZUX-*é€").tolist() == [1, *[UNKNOWN] * 8, 2]


@given(st.text(AMINO_ACIDS))
def test_amino_acids_come_back_and_case_does_not_matter(text):
    assert decode(encode(text)) == decode(encode(text.lower())) == text
