"""The interaction is residual and pre-normed; the pooling is a distribution and reads shares where told to."""

import pytest
import torch

from probatum.studies.concare.feature_attention import FeatureInteraction, FeaturePooling

WIDTH, TOKENS = 8, 5


@pytest.fixture
def tokens():
    torch.manual_seed(5)
    return torch.randn(3, TOKENS, WIDTH)


def pooling(*, is_mask_aware, dropout=0.0):
    torch.manual_seed(6)
    return FeaturePooling(width=WIDTH, dropout=dropout, is_mask_aware=is_mask_aware)


def test_interaction_treats_channels_as_a_set(tokens):
    torch.manual_seed(7)
    block = FeatureInteraction(width=WIDTH, feed_forward=16, dropout=0.0)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(block(tokens[:, order])[0], block(tokens)[0][:, order])


def test_interaction_adds_to_what_is_there(tokens):
    block = FeatureInteraction(width=WIDTH, feed_forward=16, dropout=0.0)
    for name, weight in block.named_parameters():
        if "out_proj" in name or name.startswith("feed_forward.3"):
            torch.nn.init.zeros_(weight)
    done, attended = block(tokens)
    torch.testing.assert_close(done, tokens)
    torch.testing.assert_close(attended, tokens)


def test_pooling_equals_an_unscaled_dot_product_with_the_last_token(tokens):
    pool, share = pooling(is_mask_aware=True), torch.rand(3, TOKENS - 1)
    pooled, weights = pool(tokens, share)
    for stay in range(3):
        query = pool.query(tokens[stay, -1])
        scores = torch.stack([query @ pool.key(token) for token in tokens[stay]])
        scores = scores + pool.mask_scale * torch.cat([share[stay], torch.ones(1)])
        expected = torch.softmax(scores, dim=0)
        torch.testing.assert_close(weights[stay], expected)
        torch.testing.assert_close(pooled[stay], expected @ pool.value(tokens[stay]))


def test_exposed_weights_are_from_before_dropout(tokens):
    pool = pooling(is_mask_aware=False, dropout=0.5).train()
    pool(tokens, torch.zeros(3, TOKENS - 1))
    torch.testing.assert_close(pool.attention_weights.sum(-1), torch.ones(3, 1))


@pytest.mark.parametrize("is_mask_aware", [False, True])
def test_only_the_aware_pooling_reads_the_observed_share(tokens, is_mask_aware):
    pool = pooling(is_mask_aware=is_mask_aware)
    shares = torch.zeros(3, TOKENS - 1), torch.rand(3, TOKENS - 1)
    none, some = (pool(tokens, share)[1] for share in shares)
    assert torch.equal(none, some) != is_mask_aware
