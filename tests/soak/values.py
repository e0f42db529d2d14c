"""Arguments that a careful library refuses, and a few that it takes, as source text."""

from random import Random

#: Sizes that some machine could hold, or begin to.
LARGE = ("2**31 - 1", "2**31", "2**32", "2**62", "2**63 - 1")
SMALL = ("0", "1", "-1", "2", "3", "-2", "5")
INTEGERS = (*SMALL, "300", *LARGE, "-(2**63)", "2**63", "10**40", "-(10**40)")
FLOATS = (
    "0.0",
    "0.5",
    "1.5",
    "-1.0",
    "-0.0",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "5e-324",
    "1e-30",
    "3e38",
    "2.0**63",
)
COMPLEX = ("1j", "2+3j", "2+0j", "complex(nan, inf)")
DTYPES = tuple(
    "rt." + name
    for name in [
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)
STRINGS = (
    "''",
    "'x'",
    "'mean'",
    "'sum'",
    "'none'",
    "'floor'",
    "'trunc'",
    "'linear'",
    "'nearest'",
    "'bilinear'",
    "'constant'",
    "'reflect'",
    "'replicate'",
    "'circular'",
    "'fro'",
    "'nuc'",
    "'reduced'",
    "'complete'",
    "'r'",
    "'ortho'",
    "'forward'",
    "'amax'",
    "'prod'",
    "'add'",
    "'ij'",
    "'ij,jk->ik'",
    "'i->'",
    "'...'",
    "'same'",
    "'valid'",
    "'xy'",
    "'left'",
    "'right'",
    "'cpu'",
    "'cuda:99'",
    "'\\ud800'",
    "'\\0'",
    "'tanh'",
)
OTHERS = (
    "None",
    "True",
    "False",
    "b'x'",
    "{}",
    "set()",
    "object()",
    "int",
    "slice(None)",
    "...",
    "range(3)",
    "lambda *a: a",
    "iter([1, 2])",
    "np.float32(3)",
    "np.int64(2)",
    "np.bool_(True)",
    "np.uint64(2**63)",
    "np.ones((2, 3))",
    "np.ones(3)[::-1]",
    "np.array('x')",
    "np.array(None)",
    "rt",
    "rt.Size([2, 3])",
    "rt.device('cpu')",
    "rt.contiguous_format",
    "rt.channels_last",
    "rt.preserve_format",
    "rt.Generator()",
    "float('1.5')",
    "[[1, 2], [3, 4]]",
    "[[1], [2, 3]]",
    "[None]",
    "['x']",
    "(1.5, 2.5)",
    "[rt.ones(2), 1]",
)
SHAPES = (
    "()",
    "(0,)",
    "(1,)",
    "(3,)",
    "(2, 3)",
    "(3, 3)",
    "(2, 0, 3)",
    "(1, 2, 4)",
    "(1, 2, 4, 4)",
    "(1, 2, 3, 4, 4)",
    "(2, 1, 1, 1, 1, 2)",
)
TENSORS = (
    "rt.tensor([-(2**63), 2**63 - 1, 0])",
    "rt.tensor([nan, inf, -inf, -0.0])",
    "rt.ones(2, 3).t()",
    "rt.arange(12.).reshape(3, 4)[:, ::2]",
    "rt.ones(3, 3).requires_grad_()",
    "(rt.ones(3, 3).requires_grad_() * 2)",
    "rt.tensor(3)",
    "rt.tensor(2.5)",
    "rt.tensor(True)",
    "rt.tensor(10**18)",
    "rt.tensor(-5)",
    "rt.tensor([5, -7, 2])",
    "rt.tensor([[0, 1], [2, 3]])",
    "rt.ones(3).as_strided((2, 2), (1, 1))",
    "rt.empty(0, 3)",
    "rt.ones(1, 1, 1)",
    "rt.tensor([1e30, 1e-30, -1e38])",
    "rt.eye(3)",
    "rt.ones(3, dtype=rt.complex64)",
)

LARGE_TENSORS = ("rt.ones(1).expand(2**31, 2**31)", "rt.ones(1, dtype=rt.uint8).expand(2**62)")
TENSORS = (*TENSORS, *LARGE_TENSORS)


def leave_out_large() -> None:
    """No sizes that take memory or time to refuse, for a short run."""
    global INTEGERS, TENSORS
    INTEGERS = tuple(v for v in INTEGERS if v not in LARGE)
    TENSORS = tuple(v for v in TENSORS if v not in LARGE_TENSORS)


def integer(rng: Random) -> str:
    """Small ones more often: they get past the first check."""
    return rng.choice(INTEGERS if rng.random() < 0.5 else SMALL)


def number(rng: Random) -> str:
    return rng.choice(
        (integer, lambda r: r.choice(FLOATS), lambda r: r.choice(COMPLEX), lambda r: r.choice(("True", "False")))
    )(rng)


def real(rng: Random) -> str:
    return rng.choice(FLOATS) if rng.random() < 0.6 else integer(rng)


def sequence(rng: Random, item: object = integer) -> str:
    assert callable(item)
    return "[" + ", ".join(item(rng) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 7, 70)))) + "]"


def tensor(rng: Random, shape: str | None = None, dtype: str | None = None) -> str:
    if rng.random() < 0.3:
        return rng.choice(TENSORS)
    shape = shape or rng.choice(SHAPES)
    dtype = dtype or (rng.choice(DTYPES) if rng.random() < 0.6 else "rt.float32")
    made = f"(rt.arange(int(np.prod({shape}))).reshape({shape}) % 5).to({dtype})"
    return made if rng.random() < 0.7 else f"rt.ones({shape}, dtype={dtype})"


def anything(rng: Random) -> str:
    return rng.choice(
        (
            tensor,
            tensor,
            number,
            sequence,
            lambda r: r.choice(STRINGS),
            lambda r: r.choice(OTHERS),
            lambda r: r.choice(DTYPES),
            lambda r: sequence(r, tensor),
        )
    )(rng)


def of_type(rng: Random, annotation: str, shape: str | None, dtype: str | None) -> str:
    """A value that the annotation of a parameter allows, mostly."""
    options = []
    if "Sequence[Tensor]" in annotation:
        options.append(lambda: sequence(rng, lambda r: tensor(r, shape, dtype)))
    elif "Tensor" in annotation:
        options += [lambda: tensor(rng, shape, dtype)] * 3
    if "Number" in annotation:
        options.append(lambda: number(rng))
    if "int" in annotation:
        options.append(lambda: integer(rng))
    if "Sequence[_int]" in annotation or "Sequence[int]" in annotation or annotation == "_size":
        options.append(lambda: sequence(rng))
    if "float" in annotation:
        options.append(lambda: real(rng) if "Sequence" not in annotation or rng.random() < 0.5 else sequence(rng, real))
    if "bool" in annotation:
        options += [lambda: "True", lambda: "False"]
    if "str" in annotation:
        options.append(lambda: rng.choice(STRINGS))
    if "dtype" in annotation:
        options.append(lambda: rng.choice(DTYPES))
    if "None" in annotation:
        options.append(lambda: "None")
    if not options or rng.random() < 0.12:
        return anything(rng)
    return rng.choice(options)()
