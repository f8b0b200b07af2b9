import { badData } from '../contract/bad-data.js';
import type { Batch } from '../contract/dataset.js';

/**
 * A batch whose integers do not lose decimals in silence: JavaScript makes integers of what
 * `data.map(...)` gives where `data` holds such, so it is looked at before.
 */
export function withLoudIntegers(batch: Batch): Batch {
  for (const [name, { data }] of Object.entries(batch))
    if (!(data instanceof Float32Array)) Object.defineProperty(data, 'map', loud(name, data));
  return batch;
}

function loud(name: string, data: Int32Array | Uint8Array): PropertyDescriptor {
  const original = data.map.bind(data) as (
    change: (value: number, at: number, all: typeof data) => number,
  ) => typeof data;
  return {
    configurable: true,
    value: (change: (value: number, at: number, all: typeof data) => number) => {
      const kept = original(change);
      kept.forEach((value, at) => {
        const exact = change(data[at]!, at, data);
        if (exact === value || typeof exact !== 'number') return;
        const kind = data.constructor.name;
        throw badData(
          `field ${name} holds integers, and ${kind}.map makes ${value} of ${exact}`,
          `Write Array.from(${name}.data, …) for numbers with decimals.`,
          { field: name },
        );
      });
      return kept;
    },
  };
}
