// What was read last, kept in memory up to a number of bytes: the row groups of Parquet files that are in use.

interface Sized {
  readonly bytes: number;
}

/**
 * Reads through a memory: what was asked for longest ago makes room, and the last one stays however large it is. Two that ask for
 * the same at once share one reading.
 */
export const recent = <K extends Sized, V>(room: number, read: (key: K) => Promise<V>): ((key: K) => Promise<V>) => {
  const kept = new Map<K, Promise<V>>();
  let bytes = 0;
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) {
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    const reading = read(key);
    kept.set(key, reading);
    bytes += key.bytes;
    for (const oldest of kept.keys()) {
      if (bytes <= room || oldest === key) break;
      kept.delete(oldest);
      bytes -= oldest.bytes;
    }
    return reading;
  };
};
