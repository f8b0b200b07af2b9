import { createHash } from 'node:crypto';
import { type Expression, nodesOf, type Op } from './expression.js';

/**
 * SHA-256 over how the weights follow from what is stored: every map, and every constant that does
 * not follow from a seed. Two programs with the same one compute the same weights from the same
 * stored values.
 */
export function sharingDigest(
  weights: readonly { readonly weight: string; readonly expression: Expression }[],
  constant: (node: Op<'constant'>) => Float32Array,
): string {
  const hash = createHash('sha256');
  for (const { weight, expression } of weights) {
    const nodes = nodesOf(expression);
    const at = new Map(nodes.map((node, i) => [node, i]));
    hash.update(JSON.stringify([weight, nodes.length]));
    for (const node of nodes) {
      const arrays: (Int32Array | Float32Array)[] = [];
      hash.update(
        JSON.stringify(node, (key, value) => {
          if (key !== '' && at.has(value)) return at.get(value);
          // It says nothing that the index does not.
          if (key === 'drawn') return undefined;
          if (!ArrayBuffer.isView(value)) return value;
          arrays.push(value as Int32Array);
          return value.byteLength;
        }),
      );
      if (node.op === 'constant' && node.source.kind === 'first') arrays.push(constant(node));
      for (const { buffer, byteOffset, byteLength } of arrays)
        hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex');
}
