// Hand-made safetensors files, right or wrong.

/** A header text, its length (or a false one), and `data` zero bytes. */
export const safetensorsBytes = (header: string, data: number, length?: bigint): Uint8Array => {
  const json = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + json.length + data);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  return out;
};
