#!/usr/bin/env python3
"""Writes a Terraform provider's schema, as `terraform providers schema -json` would.

    provider_schema.py WHEEL ADDRESS OUT.json.gz
    provider_schema.py --only FULL.json.gz OUT.json.gz    the types named on standard input,
                                                          as 'resource "x"' or 'data "x"'

Provider binaries cannot be had from a package registry, but the prebuilt CDK
bindings can (PyPI cdktn-provider-*): generated JavaScript, one file a type, that
holds name, type, required, optional, computed and nesting of every argument in
comments and in the functions that write HCL. Types that nest without end (17 of
the AWS provider's, WAF and QuickSight) are left out.
"""
import gzip
import io
import json
import re
import sys
import tarfile
import zipfile

# "    // name - computed: true, optional: false, required: false"
MEMBER = re.compile(
    r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)$", re.M)
CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{$(.*?)^\}$", re.M | re.S)
TO_HCL = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{$(.*?)^\}$", re.M | re.S)
HCL_FIELD = re.compile(
    r'^ {8,12}"?(\w+)"?: \{\n\s+value: (.*?)\n\s+isBlock: (\w+),\n\s+type: "(\w+)",'
    r'\n\s+storageClassType: "(\w+)",', re.M)
PART = re.compile(r"= new (\w+)\(this, ['\"]\w+['\"](?:, (\w+))?\)")
ELEMENT = re.compile(r"new (\w+OutputReference)\(")
TYPE_NAME = re.compile(r'static tfResourceType = "(\w+)"')
PLAIN = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GETTERS = (("StringMap", ["map", "string"]), ("NumberMap", ["map", "number"]),
           ("BooleanMap", ["map", "bool"]), ("NumberList", ["list", "number"]),
           ("List", ["list", "string"]), ("Number", "number"), ("Boolean", "bool"),
           ("String", "string"))
KINDS = {"TerraformResource": "resource_schemas", "TerraformDataSource": "data_source_schemas"}


class Source:
    """One generated file, taken apart."""

    def __init__(self, text):
        self.classes = {m[1]: (m[2], m[3]) for m in CLASS.finditer(text)}
        self.writers = {m[1].lower(): m[2] for m in TO_HCL.finditer(text)}

    def fields(self, text):
        """name -> (is a block, kind, stored as, function that writes its parts)"""
        found = {}
        for m in HCL_FIELD.finditer(text):
            writer = re.search(r"(\w+)ToHclTerraform(?:, (\w+))?\)", m[2])
            if writer and writer[1].lower() not in self.writers:
                writer = None
            # listMapperHcl(f, false): a list of objects that is an attribute after all
            attribute = writer and writer[2] == "false"
            found[m[1]] = (m[3] == "true" and not attribute, m[4], m[5], writer and writer[1])
        return found

    def fields_of(self, name):
        if name.endswith("OutputReference"):
            return self.fields(self.writers.get(name[:-len("OutputReference")].lower(), ""))
        return self.fields(self.classes[name][1].split("synthesizeHclAttributes()")[-1])

    def element(self, name):
        """(class of one element, is there only one?)"""
        if self.classes[name][0] in ("ComplexList", "ComplexMap"):
            return ELEMENT.search(self.classes[name][1])[1], False
        return name, True

    def members(self, name):
        body = self.classes[name][1]
        starts = list(MEMBER.finditer(body))
        ends = [m.start() for m in starts[1:]] + [len(body)]
        for m, end in zip(starts, ends):
            yield m[1], [word == "true" for word in m.groups()[1:]], body[m.end():end]

    def nested(self, part, kind, required):
        element, single = self.element(part)
        mode = "single" if kind == "struct" and single else kind
        block = {"nesting_mode": mode if mode in ("single", "list", "set", "map") else "list",
                 "block": self.block(element)}
        if required:
            block["min_items"] = 1
        if single and block["nesting_mode"] != "single":
            block["max_items"] = 1
        return block

    def block(self, name):
        attributes, blocks, fields = {}, {}, self.fields_of(name)
        for member, (computed, optional, required), code in self.members(name):
            is_block, kind, stored, writer = fields.get(member, (False, None, None, None))
            part = PART.search(code)
            part = part if part and part[1] in self.classes else None
            if part and is_block and kind != "map":
                blocks[member] = self.nested(part[1], kind, required)
            elif is_block and writer:
                blocks[member] = {"nesting_mode": kind, "block": self.written_block(writer)}
            else:
                flags = {"required": required, "optional": optional, "computed": computed}
                attributes[member] = {"type": self.type_of(kind, stored, part, code),
                                      **{k: True for k, v in flags.items() if v}}
        return {"attributes": attributes, "block_types": blocks}

    def written_block(self, writer):
        """A block known by its writer alone (the provider's own): all of it optional."""
        attributes, blocks = {}, {}
        for name, (is_block, kind, stored, sub) in self.fields(self.writers[writer.lower()]).items():
            if is_block and sub:
                blocks[name] = {"nesting_mode": kind, "block": self.written_block(sub)}
            else:
                attributes[name] = {"type": self.type_of(kind, stored, None, ""), "optional": True}
        return {"attributes": attributes, "block_types": blocks}

    def object_type(self, block):
        fields = {name: a["type"] for name, a in block["attributes"].items()}
        for name, nested in block["block_types"].items():
            inner = self.object_type(nested["block"])
            single = nested["nesting_mode"] == "single"
            fields[name] = inner if single else [nested["nesting_mode"], inner]
        return ["object", fields]

    def type_of(self, kind, stored, part, code):
        if part:
            element, single = self.element(part[1])
            inner = self.object_type(self.block(element))
            if kind in ("list", "set", "map"):
                return [kind, inner]
            if single:
                return inner
            if self.classes[part[1]][0] == "ComplexMap":
                return ["map", inner]
            return ["set" if part[2] == "true" else "list", inner]
        if kind == "simple" and stored in PLAIN:
            return PLAIN[stored]
        if kind in ("list", "set", "map") and stored:
            return [kind, PLAIN.get(re.sub("(List|Map)$", "", stored), "dynamic")]
        for word, found in GETTERS:
            if f"get{word}Attribute" in code or (word.endswith("Map") and f"{word}(" in code):
                if word.endswith("List") and "Fn.tolist" in code:
                    return ["set", found[1]]
                return found
        return "dynamic"


def sources(wheel):
    with zipfile.ZipFile(wheel) as z:
        inner = next(n for n in z.namelist() if n.endswith(".jsii.tgz"))
        with z.open(inner) as f, tarfile.open(fileobj=f, mode="r|gz") as tar:
            for member in tar:
                if re.match(r"package/lib/[\w-]+/index\.js$", member.name):
                    text = tar.extractfile(member).read().decode()
                    yield text.split("//# sourceMappingURL")[0]


def write(schemas, out):
    with open(out, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as z:
        with io.TextIOWrapper(z) as f:
            json.dump({"provider_schemas": schemas}, f, sort_keys=True)


def only(full, out):
    wanted = {tuple(line.replace('"', "").split()) for line in sys.stdin}
    with gzip.open(full, "rt") as f:
        schemas = json.load(f)["provider_schemas"]
    for schema in schemas.values():
        for kind, key in (("resource", "resource_schemas"), ("data", "data_source_schemas")):
            schema[key] = {name: s for name, s in schema[key].items() if (kind, name) in wanted}
    write(schemas, out)
    return 0


def main(wheel, address, out):
    schema = {"provider": {"block": {}}, "resource_schemas": {}, "data_source_schemas": {}}
    for text in sources(wheel):
        source = Source(text)
        for name, (base, body) in source.classes.items():
            if base == "TerraformProvider":
                schema["provider"] = {"block": source.block(name)}
                schema["provider"]["block"]["attributes"].pop("alias", None)
            elif base in KINDS:
                block = {"block": source.block(name)}
                if '"dynamic"' not in json.dumps(block):
                    schema[KINDS[base]][TYPE_NAME.search(body)[1]] = block
    write({address: schema}, out)
    return 0 if schema["resource_schemas"] else 1


if __name__ == "__main__":
    if sys.argv[1] == "--only":
        sys.exit(only(*sys.argv[2:]))
    sys.exit(main(*sys.argv[1:]))
