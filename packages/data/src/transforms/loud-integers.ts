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
  type Change = (value: number, at: number, all: typeof data) => number;
  return {
    configurable: true,
    value: (change: Change, self?: unknown) => {
      const exact = Array.from(data, (value, at) => change.call(self, value, at, data));
      const kept = data.slice();
      kept.set(exact);
      const at = exact.findIndex(
        (value, place) => typeof value === 'number' && value !== kept[place],
      );
      if (at === -1) return kept;
      const kind = data.constructor.name;
      throw badData(
        `field ${name} holds integers, and ${kind}.map makes ${kept[at]} of ${exact[at]}`,
        `Write Array.from(${name}.data, …) for numbers with decimals.`,
        { field: name },
      );
    },
  };
}
