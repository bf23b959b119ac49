"""Writes pickles.json: files as torch.save writes them, by Python's own pickle module, and what is in them.

    python make.py > pickles.json

It needs no PyTorch: the classes that a pickle names are stand-ins of the same names.
"""

import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile

# What a pickle calls PyTorch's classes and functions.
for module in ["torch", "torch._utils", "torch.storage"]:
    sys.modules[module] = types.ModuleType(module)


def named(module, name, base=object):
    made = type(name, (base,), {"__module__": module, "__qualname__": name})
    setattr(sys.modules[module], name, made)
    return made


STORAGES = {"f": "Float", "d": "Double", "e": "Half", "H": "BFloat16", "q": "Long", "b": "Char", "i": "Int", "?": "Bool"}
STORAGES = {code: named("torch", f"{name}Storage") for code, name in STORAGES.items()}
UNTYPED = named("torch.storage", "UntypedStorage")
FLOAT32 = named("torch", "float32")
REBUILD = {
    name: named("torch._utils", name)
    for name in ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_qtensor"]
}
SIZE = named("torch", "Size")


class Call:
    """Something that a pickle makes by a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class Storage:
    def __init__(self, code, numbers, key=None, kind=None, claims=None, view=None):
        self.code, self.numbers, self.key, self.view = code, numbers, key, view
        self.kind = kind or STORAGES[code]
        self.claims = len(numbers) if claims is None else claims

    def bytes(self):
        return struct.pack(f"<{len(self.numbers)}{self.code}", *self.numbers)


def tensor(storage, shape, strides, offset=0, by="_rebuild_tensor_v2", more=None):
    more = (False, collections.OrderedDict()) if more is None else more
    return Call(REBUILD[by], storage, offset, shape, strides, *more)


def dump(state, storages, legacy, protocol):
    """A pickle, in which a storage stands as torch.save names it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                if value not in storages:
                    storages.append(value)
                key = value.key or str(storages.index(value))
                name = ("storage", value.kind, key, "cpu", value.claims)
                return name + (value.view,) if legacy else name
            return None

    out = io.BytesIO()
    Pickler(out, protocol).dump(state)
    return out.getvalue()


def archive(state, protocol=2, order="little", files=None, data=None, compression=zipfile.ZIP_STORED):
    storages = []
    data = data or dump(state, storages, False, protocol)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as written:
        written.writestr("archive/data.pkl", data)
        if order:
            written.writestr("archive/byteorder", order)
        for number, storage in enumerate(storages):
            written.writestr(f"archive/data/{number}", storage.bytes())
        written.writestr("archive/version", "3\n")
        for name, content in (files or {}).items():
            written.writestr(name, content)
    return out.getvalue()


def legacy(state, protocol=2):
    storages = []
    whole = b"".join(pickle.dumps(part, 2) for part in [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}])
    whole += dump(state, storages, True, protocol)
    keys = [storage.key or str(number) for number, storage in enumerate(storages)]
    whole += pickle.dumps(keys, 2)
    for storage in storages:
        whole += struct.pack("<q", len(storage.numbers)) + storage.bytes()
    return whole


CASES = {}


def case(name, written, **expected):
    """What is in a file: types, shapes and bytes of tensors by their names, or what its refusal says."""
    tensors = expected.get("tensors")
    if tensors is not None:
        for key, (kind, shape, code, numbers) in tensors.items():
            data = struct.pack(f"<{len(numbers)}{code}", *numbers).hex()
            tensors[key] = {"type": kind, "shape": shape, "bytes": data}
    CASES[name] = {"file": written.hex(), **expected}


six = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
plain = lambda: collections.OrderedDict(w=tensor(Storage("f", six), (2, 3), (3, 1)))
holds = {"w": ("F32", [2, 3], "f", six)}

for protocol in [2, 3, 4, 5]:
    case(f"archive of protocol {protocol}", archive(plain(), protocol), tensors=dict(holds))
    case(f"legacy of protocol {protocol}", legacy(plain(), protocol), tensors=dict(holds))
case("a dictionary of the plain kind", archive(dict(plain())), tensors=dict(holds))
case("no order of bytes is said", archive(plain(), order=None), tensors=dict(holds))
for code, kind in [("d", "F64"), ("e", "F16"), ("H", "BF16"), ("q", "int64"), ("b", "int8"), ("i", "int32"), ("?", "bool")]:
    numbers = [1, 0, 1] if kind not in ["F64", "F16"] else [0.5, -2.0, 0.25]
    state = {"w": tensor(Storage(code, numbers), (3,), (1,))}
    for name, write in [("archive", archive), ("legacy", legacy)]:
        case(f"{kind} in {name}", write(state), tensors={"w": (kind, [3], code, numbers)})

shared = Storage("f", six)
views = {
    "turned": tensor(shared, (3, 2), (1, 3)),
    "second row": tensor(shared, (3,), (1,), 3),
    "every other": tensor(shared, (2, 1, 2), (3, 7, 2), 1 - 1),
    "one number": tensor(shared, (), (), 4),
    "several times": tensor(shared, (2, 3), (0, 1)),
    "none": tensor(shared, (0, 3), (3, 1), 6),
}
seen = {
    "turned": ("F32", [3, 2], "f", [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
    "second row": ("F32", [3], "f", [4.0, 5.0, 6.0]),
    "every other": ("F32", [2, 1, 2], "f", [1.0, 3.0, 4.0, 6.0]),
    "one number": ("F32", [], "f", [5.0]),
    "several times": ("F32", [2, 3], "f", [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]),
    "none": ("F32", [0, 3], "f", []),
}
case("views of one storage", archive(views), tensors=dict(seen))
case("views of one storage, legacy", legacy(views), tensors=dict(seen))
part = Storage("f", six, key="root", view=("view", 2, 4))
case("a part of a storage", legacy({"w": tensor(part, (2,), (1,), 1)}), tensors={"w": ("F32", [2], "f", [4.0, 5.0])})
part = Storage("f", six, key="root", view=("view", 2, 4))
case("beyond a part", legacy({"w": tensor(part, (4,), (1,), 1)}), refused="w reaches beyond")

learned = Call(REBUILD["_rebuild_parameter"], tensor(Storage("f", six), (2, 3), (3, 1)), True, collections.OrderedDict())
case("a parameter", archive({"w": learned}), tensors=dict(holds))
old = tensor(Storage("f", six), (2, 3), (3, 1), by="_rebuild_tensor", more=())
case("as the first PyTorch wrote it", legacy({"w": old}), tensors=dict(holds))
new = Storage("f", six, kind=UNTYPED, claims=24)
new = tensor(new, (2, 3), (3, 1), by="_rebuild_tensor_v3", more=(False, None, FLOAT32, None))
case("a storage without a type", archive({"w": new}), tensors=dict(holds))
sized = tensor(Storage("f", six), Call(SIZE, (2, 3)), (3, 1))
case("sizes of a class", archive({"w": sized}), tensors=dict(holds))
case("a number beside tensors", archive({**plain(), "epoch": 3}), tensors={**holds, "epoch": ("no tensor", [], "f", [])})
pairs = Call(collections.OrderedDict, [["w", tensor(Storage("f", six), (2, 3), (3, 1))]])
case("a dictionary as Python 2 wrote it", archive(pairs), tensors=dict(holds))


class Versions(collections.OrderedDict):
    """PyTorch keeps the versions of modules beside the content."""

    def __reduce__(self):
        return collections.OrderedDict, (), {"_metadata": {"": {"version": 1}}}, None, iter(self.items())


case("versions beside the content", archive(Versions(plain())), tensors=dict(holds))

# Code, and things that are no tensors.
runs = lambda function, *arguments: archive({"w": Call(function, *arguments)})
case("a command", runs(__import__("os").system, "true"), refused="it calls for `posix.system`")
case("an evaluation", runs(eval, "1"), refused="it calls for `__builtin__.eval`")
case("a command in an old file", legacy({"w": Call(__import__("os").system, "true")}), refused="posix.system")
case("a quantized tensor", runs(REBUILD["_rebuild_qtensor"], 1), refused="`torch._utils._rebuild_qtensor`")
raw = lambda data: archive(None, data=data)
case("escape codes", raw(b"c\x1b[31mos\nsystem\n."), refused="`\\u{1b}[31mos.system`")
case("a class of its own", raw(b"\x80\x02ctorch.nn\nLinear\n)\x81."), refused="it calls for `torch.nn.Linear`")
case("an object", raw(b"\x80\x02ccollections\nOrderedDict\n)\x81."), refused="instruction 0x81")
case("an instance", raw(b"(ios\nsystem\n."), refused="instruction 0x69 at byte")
case("an extension", raw(b"\x82\x01."), refused="instruction 0x82")
case("a state of a tensor", raw(b"\x80\x02NN" + b"b."), refused="it sets what is in an object")
case("a list", raw(b"\x80\x02]."), refused="it holds no dictionary of tensors")

# Sizes that the file does not have.
beyond = "w reaches beyond the numbers that are stored"
for name, shape, strides, offset in [
    ("too many", (7,), (1,), 0),
    ("too far", (2, 3), (4, 1), 0),
    ("behind the end", (1,), (1,), 6),
    ("beyond all numbers", (2**40, 2**40), (1, 1), 0),
    ("strides beyond all numbers", (2, 2), (2**62, 2**62), 0),
    ("the largest offset", (1,), (1,), 2**63 - 1),
    ("one number often", (2**30,), (0,), 0),
]:
    for kind, write in [("archive", archive), ("legacy", legacy)]:
        case(f"{name} in {kind}", write({"w": tensor(Storage("f", six), shape, strides, offset)}), refused=beyond)
case("less than is said", archive({"w": tensor(Storage("f", six, claims=60), (60,), (1,))}), refused=beyond)
no = "its pickle is not one of tensors"
case("less than nothing", archive({"w": tensor(Storage("f", six), (-1,), (1,))}), refused=no)
case("a stride too few", archive({"w": tensor(Storage("f", six), (2, 3), (1,))}), refused=no)
case("more axes than PyTorch has", archive({"w": tensor(Storage("f", six), (1,) * 65, (1,) * 65)}), refused=no)
case("a text without an end", raw(b"\x80\x02X\xff\xff\xff\xff."), refused="it ends too early")
case("bytes without an end", raw(b"\x80\x04\x8e" + b"\xff" * 8 + b"."), refused="it ends too early")
case("nothing to take", raw(b"\x80\x020."), refused=no)
case("below a mark", raw(b"\x80\x02N(0."), refused=no)
case("no mark", raw(b"\x80\x02t."), refused=no)
case("nothing remembered", raw(b"\x80\x02h\x07."), refused=no)
case("no end", raw(b"\x80\x02}"), refused="it ends too early")
case("a dictionary in itself", raw(b"\x80\x02}q\x00X\x01\x00\x00\x00wh\x00s."), tensors={"w": ("no tensor", [], "f", [])})
case("a list in itself", raw(b"\x80\x02}X\x01\x00\x00\x00w]q\x00h\x00as."), tensors={"w": ("no tensor", [], "f", [])})
deep = b"\x80\x02}X\x01\x00\x00\x00wN" + b"\x85" * 2000 + b"s."
case("a deep nest", raw(deep), tensors={"w": ("no tensor", [], "f", [])})
case("a key that is no name", raw(b"\x80\x02}K\x01Ns."), refused="a tensor in it has no name")

# The archive.
case("big-endian numbers", archive(plain(), order="big"), refused="big-endian")
case("compressed", archive(plain(), compression=zipfile.ZIP_DEFLATED), refused="archive/byteorder is compressed")
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as written:
    written.writestr("a.txt", "a")
case("another archive", out.getvalue(), refused="a ZIP archive without a data.pkl")
case("a storage is missing", archive(plain()).replace(b"archive/data/0", b"archive/data/9"), refused="archive/data/0 is missing")
case("another file", b"no pickle", refused="it starts neither as a ZIP archive nor as a pickle")
case("an empty file", b"", refused="it ends too early")
case("another pickle", pickle.dumps([1, 2], 2), refused="it starts neither as a ZIP archive nor as a pickle")

print(json.dumps(CASES, indent=1))
