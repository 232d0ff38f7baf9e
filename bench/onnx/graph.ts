// A graph of ONNX operators, written to the bytes of a model file.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const schema = readFileSync(fileURLToPath(new URL('./onnx.proto', import.meta.url)), 'utf8');
const Model = protobuf.parse(schema, { keepCase: true }).root.lookupType('ModelProto');

/** Numbers of ONNX's element types. */
const elementTypes = { f32: 1, i64: 7, f16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

/** An attribute's value under its field in the schema: a float, an integer, a text, integers. */
export type Attribute =
  | { readonly f: number }
  | { readonly i: number }
  | { readonly s: string }
  | { readonly ints: readonly number[] };
/** Numbers of the schema's AttributeType. */
const attributeTypes = { f: 1, i: 2, s: 3, ints: 7 } as const;

/** The name of a value in the graph. */
export type Value = string;

export interface GraphBuilder {
  readonly input: (name: string, shape: readonly number[], type?: ElementType) => Value;
  /** A constant, with its bytes little-endian. */
  readonly weight: (name: string, shape: readonly number[], data: ArrayBufferView, type?: ElementType) => Value;
  /** A constant vector of sizes. */
  readonly sizes: (values: readonly number[]) => Value;
  /** An operator's first result, of ONNX's own domain or another. */
  readonly op: (
    type: string,
    inputs: readonly Value[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ) => Value;
  readonly output: (value: Value, shape: readonly number[], type?: ElementType) => void;
}

const OPSET = 20;
const IR_VERSION = 9;
/** Operators of ONNX Runtime's own. */
export const MICROSOFT = 'com.microsoft';

const valueInfo = (name: string, shape: readonly number[], type: ElementType): object => ({
  name,
  type: { tensor_type: { elem_type: elementTypes[type], shape: { dim: shape.map((d) => ({ dim_value: d })) } } },
});

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const attributeOf = ([name, value]: readonly [string, Attribute]): object => {
  const field = 'f' in value ? 'f' : 'i' in value ? 'i' : 's' in value ? 's' : 'ints';
  return { name, type: attributeTypes[field], ...('s' in value ? { s: Buffer.from(value.s) } : value) };
};

/** The model that `build` describes. Throws Error where the schema does not take it. */
export const onnxModel = (build: (g: GraphBuilder) => void): Uint8Array => {
  const graph = {
    name: 'bench',
    node: [] as object[],
    initializer: [] as object[],
    input: [] as object[],
    output: [] as object[],
  };
  const weight: GraphBuilder['weight'] = (name, shape, data, type = 'f32') => {
    graph.initializer.push({ name, dims: shape, data_type: elementTypes[type], raw_data: bytesOf(data) });
    return name;
  };
  build({
    input: (name, shape, type = 'f32') => {
      graph.input.push(valueInfo(name, shape, type));
      return name;
    },
    weight,
    sizes: (values) =>
      weight(`sizes${graph.initializer.length}`, [values.length], BigInt64Array.from(values.map(BigInt)), 'i64'),
    op: (op_type, input, attributes = {}, domain = '') => {
      const name = `${op_type}${graph.node.length}`;
      const attribute = Object.entries(attributes).map(attributeOf);
      graph.node.push({ name, op_type, domain, input, output: [name], attribute });
      return name;
    },
    output: (value, shape, type = 'f32') => {
      graph.output.push(valueInfo(value, shape, type));
    },
  });
  const model = {
    ir_version: IR_VERSION,
    producer_name: 'dualtoken-bench',
    opset_import: [
      { domain: '', version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ],
    graph,
  };
  const fault = Model.verify(model);
  if (fault !== null) throw new Error(`not an ONNX model: ${fault}`);
  return Model.encode(Model.fromObject(model)).finish();
};
