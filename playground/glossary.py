"""The terms of the field as the house uses them, each in one plain sentence. Pages quote them as hover texts."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "Token": "The unit a model reads and writes: a word, a piece of a word, a sign, or a few bytes.",
    "Vocabulary": "All tokens a model knows; the bundled model has 49,152 of them.",
    "Byte fallback": "A character that has no token of its own is written as its bytes, one token each.",
    "Premium": "Tokens that a text takes in one language over those that the same text takes in another, here English.",
    "Bits per byte": "A text's surprise in bits over its UTF-8 bytes: comparable between tokenizers, as bits a token are not.",
    "Bits per meaning": "Bits per byte times the bytes of the same text against English: script and knowledge in one.",
    "Parallel text": "The same text in several languages, piece by piece.",
    "Token id": "A token's number in the vocabulary; the model sees ids and never letters.",
    "Logit": "The number a model gives each token before probabilities are made; only differences between logits matter.",
    "Softmax": "Turns logits into probabilities: the exponential of each, divided by the sum of all.",
    "Probability, raw": "Softmax of the model's untouched logits: what the model itself says.",
    "Probability, final": "What is left to draw from after all samplers have run.",
    "Log-probability": "The natural logarithm of a probability: 0 for certainty, more negative for less likely; they add up "
    "along a text where probabilities multiply.",
    "Entropy": "The average surprise of a distribution, in nats or bits: 0 when one token is certain.",
    "Nat": "The unit of entropy under the natural logarithm; one nat is 1.443 bits.",
    "Surprise": "The negative log-probability of what came: large when something unlikely happened. Also: surprisal.",
    "Exact": "Of a row that an engine tells in part: the probability of each token told, and of all others together, is known.",
    "Bounded": "Of a row that an engine tells in part: a probability lies between two numbers, because how the tokens that are "
    "not told share theirs is not known.",
    "Effective choices": "The exponential of the entropy: how many equally likely tokens would be as uncertain.",
    "Rank": "A token's place when all are sorted by raw probability; the likeliest has rank 1.",
    "Sampler": "A rule that changes logits or removes tokens before one is drawn.",
    "Chain": "The samplers in the order in which they run; another order can give another result.",
    "Temperature": "Divides the logits: below 1 the likely tokens gain, above 1 the unlikely ones do, 0 takes the likeliest.",
    "Greedy": "Always taking the likeliest token; the same as temperature 0.",
    "Truncation": "Removing tokens so that they can never be drawn.",
    "Top-k": "Keeps the k likeliest tokens, however sure or unsure the model is.",
    "Top-p": "Keeps the fewest likeliest tokens that together reach the probability p; also called nucleus sampling.",
    "Min-p": "Drops every token less likely than a fraction of the likeliest one.",
    "Typical-p": "Keeps the tokens whose surprise is nearest to the average surprise.",
    "Repetition penalty": "Weakens every token that already stands in the text.",
    "Seed": "The number that starts the random stream: the same seed, model and settings give the same tokens.",
    "u": "The random number of one draw: a number from 0 up to 1 that points into the cumulative bar of the final distribution.",
    "KL divergence": "How far one distribution is from another, in nats: 0 when they are the same, infinite when the first "
    "allows what the second forbids.",
    "Total variation": "Half the sum of the differences of all probabilities, 0 to 1: the least chance that draws from two "
    "distributions differ, however they are coupled.",
    "Prompt": "The text a model is given to continue.",
    "Chat template": "The frame of special tokens that turns messages into the text a chat model was trained on.",
    "Supervised fine-tuning": "Training a model further on prompts with responses, so that it answers as they do (SFT).",
    "Demonstration": "A prompt with the response that a model should learn to give.",
    "Loss mask": "Which tokens of a training text count: mostly the response's, so that the model learns to answer, not to ask.",
    "Adapter": "A few added weights that change what a model does, while its own weights stay as they are.",
    "LoRA": "An adapter that adds to a weight matrix the product of two thin ones; its rank is how thin.",
    "Epoch": "One pass over all training examples.",
    "Learning rate": "How far a training step moves the weights; too large a one makes the loss grow.",
    "Held-out": "Kept out of training, to see whether what was learnt carries over to examples never seen.",
    "Perplexity": "The exponential of the mean surprise per token: how many equally likely tokens would be as surprising.",
    "Forgetting": "A text becomes less likely than before because the model was trained on others.",
    "Special token": "A token that marks structure, such as the end of a message, and stands for no text.",
    "Context": "All tokens before the next one; its greatest length is fixed by the model.",
    "Prefill": "Reading the whole prompt at once, before the first new token.",
    "Decode": "Writing new tokens one after the other.",
    "Key-value cache": "What a model keeps of each token it has read, so that it need not read it again.",
    "Attention head": "One of a layer's parallel look-ups: each position takes an average of those before it and itself, "
    "with weights that sum to 1.",
    "Attention sink": "A token, mostly the first, that takes the weight a head has no use for; it need not mean anything.",
    "Induction head": "A head that looks at what followed an earlier occurrence of the present token, and so can repeat it.",
    "Grouped queries": "Several query heads that share one head of keys and values, which makes the key-value cache smaller.",
    "Hidden state": "The numbers a model carries for one token from layer to layer; each layer adds to them.",
    "Logit lens": "Reading a layer's hidden state as if the model ended there, through its own last norm and head.",
    "Roofline": "What a machine can reach at best: bounded by memory traffic where there is little arithmetic a byte, by "
    "arithmetic where there is much.",
    "FLOP": "One addition or multiplication of two numbers; FLOPs count the work, FLOP/s the speed.",
    "MFU": "Model FLOPs utilisation: the useful arithmetic a training run does, as a share of what its chips could do at best.",
    "HFU": "Hardware FLOPs utilisation: like MFU, but with the arithmetic counted that is done again to save memory.",
    "Dense peak": "What a chip can multiply at best with all weights present; data sheets often print twice that, for "
    "weights half of which are zero.",
    "PUE": "Power usage effectiveness: what a data centre draws for each watt its machines use.",
    "Sliding window": "A layer that looks back at a fixed number of tokens only, so that its cache stops growing.",
    "Meta device": "Where a model is built with its shapes and without its numbers, to be counted exactly in no memory.",
    "Loss": "The average surprise of a model at the tokens of a text it has not seen, in nats: lower is better.",
    "ZeRO": "Sharing optimizer state (stage 1), gradients (2) and weights (3) among the GPUs in place of a copy on each.",
    "Optimizer state": "What training keeps beside each weight; Adam keeps two running averages and often a float32 copy.",
    "Activations": "What a forward pass leaves behind for the backward pass; recomputing some of it trades time for memory.",
    "Quantisation": "Storing weights in fewer bits, in groups that share a scale; most schemes round, and so change the model.",
    "Active parameters": "The parameters one token is multiplied with; in a mixture of experts far fewer than all.",
    "Mixture of experts": "A layer of many feed-forward parts of which each token visits a few.",
    "Multi-head latent attention": "Keeping one small vector a token from which keys and values are made anew.",
    "Recurrent state": "What a Mamba-like layer carries along a text: of one size, however long the text has become.",
    "Scaling law": "A formula fitted to many training runs that gives the loss from parameters, tokens or compute.",
    "Compute-optimal": "The size and amount of data that give the lowest loss for a given training compute.",
    "Over-training": "Training a model on more data than is compute-optimal, to have a smaller one that is cheaper to use.",
    "Break-even": "The number of tokens a day from which an own GPU costs less than paying for each token.",
    "dtype": "The number format of the weights: float32 is exact and large, bfloat16 half the size and coarser.",
    "Safetensors": "A file format for weights that holds numbers only, so that loading it can run no code.",
    "Best-of-N": "Drawing N answers to one question and choosing among them by a rule.",
    "Candidate": "One finished answer of a best-of-N run, with the numbers recorded while it was made.",
    "Verifier": "A check that says of an answer whether it is valid: a parser, a pattern, a reference, or a model.",
    "Reward model": "A model trained on people's preferences that gives an answer a score.",
    "Reward head": "One weight for each number of a model's last hidden state, fitted to votes: a reward model in seconds.",
    "Over-optimisation": "Choosing so hard by a reward that what is chosen gets worse by any other judgement.",
    "DPO": "Direct preference optimisation: the model itself is taught that winners are likelier than losers, no reward model "
    "between.",
    "Preference pair": "Two answers to one prompt of which a voter preferred one: what reward models and DPO are "
    "trained on.",
    "Bradley-Terry": "Each thing has a strength, and beats another with the probability sigmoid of the strengths' "
    "difference.",
    "Elo": "Ratings changed after each vote by what was not expected of it, so that the order of votes changes them.",
    "Inter-annotator agreement": "How often two voters say the same of the same answers; kappa and alpha take off "
    "what chance would give.",
    "Self-consistency": "Taking the commonest of many sampled answers.",
    "Pass@k": "The chance that at least one of k answers is right; also called coverage.",
    "Beam search": "Keeping the B likeliest unfinished texts at each step in place of drawing.",
    "Training-data filter": "A rule that keeps or removes a document by a number counted in it: words, repeated lines, a "
    "language's probability.",
    "MinHash": "A few hundred bytes that stand for a text: those of two agree in as many places as they share runs of words.",
    "Contamination": "A test's problems in the training data: a model then remembers answers, and its score says nothing.",
    "Test-time compute": "Work spent on one question when it is asked: more answers, longer answers, checking them.",
    "Recurrence": "Reading token by token into a state of fixed size, each step from the state "
    "before; an RNN, a state space, RWKV.",
    "State space model": "A linear recurrence h = Ah + Bx, y = Ch, which can also be computed as a convolution (S4), or whose "
    "numbers depend on the token (Mamba).",
    "Selection": "In Mamba: the step Δ, and what is written and read, are chosen from each token, so "
    "that it can pass tokens over.",
    "Information bottleneck": "An encoder's last state through which a whole text must pass to its decoder; attention "
    "goes around it.",
    "Associative recall": "Giving the value that stood beside a key earlier in the text; with many pairs, a test of what a "
    "state holds.",
}


def define(term: str) -> str:
    """The sentence for a hover text. Raises KeyError for a term that the glossary lacks, so that tests find it."""
    return f"{term}: {GLOSSARY[term]}"
