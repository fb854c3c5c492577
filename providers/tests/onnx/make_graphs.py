"""Writes the tiny graphs beside this file: the inputs and outputs of Piper and Kokoro, but each
symbol only becomes a tone step. Needs PyPI `onnx`: python3 make_graphs.py"""

from pathlib import Path

from onnx import TensorProto as T, checker, helper as h

HERE = Path(__file__).parent


def const(name, kind, dims, values):
    return h.make_tensor(name, kind, dims, values)


def save(name, nodes, inputs, outputs, constants):
    graph = h.make_graph(nodes, name, inputs, outputs, constants)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def steps(symbols, length):
    """Each symbol for `length` samples at a level of its own, the sign alternating by sample."""
    return [
        h.make_node("Cast", [symbols], ["level"], to=T.FLOAT),
        h.make_node("Div", ["level", "levels"], ["small"]),
        h.make_node("Unsqueeze", ["small", "last_axis"], ["column"]),
        h.make_node("Concat", [length], ["one_length"], axis=0),
        h.make_node("Shape", ["column"], ["shape"]),
        h.make_node("Slice", ["shape", "zero", "two"], ["head"]),
        h.make_node("Concat", ["head", "one_length"], ["wide"], axis=0),
        h.make_node("Expand", ["column", "wide"], ["tones"]),
    ]


BASE = [
    const("levels", T.FLOAT, [1], [512.0]),
    const("last_axis", T.INT64, [1], [2]),
    const("zero", T.INT64, [1], [0]),
    const("one", T.INT64, [1], [1]),
    const("two", T.INT64, [1], [2]),
    const("hop", T.FLOAT, [1], [441.0]),
]


def piper(name, durations):
    nodes = [
        h.make_node("Slice", ["scales", "one", "two"], ["length_scale"]),
        h.make_node("Mul", ["length_scale", "hop"], ["hop_scaled"]),
        h.make_node("Cast", ["hop_scaled"], ["length"], to=T.INT64),
        *steps("input", "length"),
        h.make_node("Reshape", ["tones", "flat"], ["output"]),
    ]
    outputs = [h.make_tensor_value_info("output", T.FLOAT, [1, 1, 1, None])]
    if durations:
        # Pads (0) take no time, everything else one step.
        nodes += [
            h.make_node("Min", ["input", "one"], ["voiced"]),
            h.make_node("Cast", ["voiced"], ["durations"], to=T.FLOAT),
        ]
        outputs.append(h.make_tensor_value_info("durations", T.FLOAT, [1, None]))
    inputs = [
        h.make_tensor_value_info("input", T.INT64, [1, None]),
        h.make_tensor_value_info("input_lengths", T.INT64, [1]),
        h.make_tensor_value_info("scales", T.FLOAT, [3]),
    ]
    save(name, nodes, inputs, outputs, BASE + [const("flat", T.INT64, [4], [1, 1, 1, -1])])


def kokoro():
    nodes = [
        h.make_node("Div", ["hop", "speed"], ["hop_scaled"]),
        h.make_node("Cast", ["hop_scaled"], ["length"], to=T.INT64),
        *steps("tokens", "length"),
        h.make_node("Reshape", ["tones", "flat"], ["plain"]),
        h.make_node("ReduceMean", ["style"], ["mean"], keepdims=0),
        h.make_node("Add", ["plain", "mean"], ["audio"]),
    ]
    inputs = [
        h.make_tensor_value_info("tokens", T.INT64, [1, None]),
        h.make_tensor_value_info("style", T.FLOAT, [1, 256]),
        h.make_tensor_value_info("speed", T.FLOAT, [1]),
    ]
    outputs = [h.make_tensor_value_info("audio", T.FLOAT, [None])]
    save("kokoro", nodes, inputs, outputs, BASE + [const("flat", T.INT64, [1], [-1])])


piper("piper", False)
piper("piper_durations", True)
kokoro()
