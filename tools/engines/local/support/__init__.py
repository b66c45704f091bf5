"""Whether a source says a sentence: `judging` is asked, `model` compares, `learning` learns from `examples`.

Texts are read as words (`wording`, `amounts`), a sentence is laid beside a stretch of its source (`aligning`), and what
speaks for and against it becomes numbers (`likeness`, which has them from `bonds` and `sequence`, `diction` and, where
the operator has one, an entailment model: `entailing`). `trees` weigh them, and `store` keeps what was learnt.
"""
