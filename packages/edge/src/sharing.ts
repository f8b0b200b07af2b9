import { times } from './arrays.js';
import { check } from './error.js';
import { PART_KINDS } from './parts/index.js';
import type { PartKind } from './parts/part.js';
import type { Sharing } from './read-model.js';

const KINDS: readonly PartKind[] = Object.values(PART_KINDS);

/**
 * Computes weights that are made of others: `readModel(bytes, { sharing })`. A module of its own, since most files do
 * without.
 */
export const sharing: Sharing = (number, reader, parts, hold) => {
  const kind = KINDS[number - 1];
  check(kind);
  const list = () => {
    const count = reader.varint();
    reader.need(count);
    return count;
  };
  const operands = times(kind.operands ?? list(), () => {
    const part = parts[parts.length - reader.varint()];
    check(part);
    return part;
  });
  const numbers = times(kind.numbers === 'list' ? list() : (kind.numbers ?? 0), reader.varint);
  const {
    shape,
    work,
    held = shape,
    make,
  } = kind.open(
    operands.map((part) => part.shape),
    numbers,
  );
  check(shape.length < 9);
  hold(held);
  if (work !== undefined) hold([work]);
  const values = operands.map(({ shape, table }) =>
    // Others are made for whoever reads them, and not kept.
    table instanceof Float32Array ? table : table.subarray(0, hold(shape)),
  );
  return { shape, table: make(values) };
};
