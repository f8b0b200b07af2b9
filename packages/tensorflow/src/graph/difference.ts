import { type Obstacle, unsteady } from './obstacle.js';
import type { RecordedNode, Recording } from './recording.js';

/** What two recordings of the same function do not have in common, if there is anything. */
export function differenceOf(one: Recording, other: Recording): Obstacle | undefined {
  const length = Math.max(one.nodes.length, other.nodes.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [one.nodes[at], other.nodes[at]];
    if (a === undefined || b === undefined || !isSame(a, b))
      return unsteady(`it does not always do the same: ${describe(a)}, then ${describe(b)}`);
  }
  if (JSON.stringify(one.outputs) === JSON.stringify(other.outputs)) return undefined;
  return unsteady('it does not always return the same');
}

function isSame(a: RecordedNode, b: RecordedNode): boolean {
  if (a.kind === 'constant' && b.kind === 'constant')
    return (
      Buffer.compare(a.bytes, b.bytes) === 0 && JSON.stringify(a.type) === JSON.stringify(b.type)
    );
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}

function describe(node: RecordedNode | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind === 'operation') return node.name;
  return `${node.kind === 'input' ? 'a tensor' : 'a constant'} [${node.type.shape.join(', ')}]`;
}
