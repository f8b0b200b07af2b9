import { floor } from '../math.js';
import { byElements, type PartKind, remainder } from './part.js';

/** [..., n] to [..., rows, columns], each row one further than the one before: circulant, Toeplitz, Hankel. */
export const shear: PartKind = {
  operands: 1,
  // rows, columns, the first place, whether each row is one back instead
  numbers: 4,
  open([from], [rows, columns, start, back]) {
    const period = from!.at(-1)!;
    return byElements([...from!.slice(0, -1), rows!, columns!], (i, [values]) => {
      const row = floor(i / columns!);
      const at = start! + (i % columns!) + (back ? -1 : 1) * (row % rows!);
      return values![floor(row / rows!) * period + remainder(at, period)]!;
    });
  },
};
