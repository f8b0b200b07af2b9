import { type Block, createKernels, type Rounding } from '@tutti/kernels';
import { median } from './median.js';

const LENGTH = 2 ** 20;
const SHARDS = 4;

/**
 * What compressed gradients cost and save, on a vector with the magnitudes of a gradient: bytes of one
 * shard and of a sum of four over those of float32; processor nanoseconds an element of rounding, packing and
 * unpacking. They are measured in turn, `rounds` times; the median counts.
 */
export function benchCompression(rounds: number): Record<string, number> {
  const kernels = createKernels();
  const target = kernels.allocate(LENGTH);
  const result: Record<string, number> = {};
  for (const to of ['bf16', 'fp16', 'int8'] as const) {
    const gradients = Array.from({ length: SHARDS }, (_, shard) => gradientOf(shard));
    const times = { round: [] as number[], pack: [] as number[], unpack: [] as number[] };
    const timed = (name: keyof typeof times, task: () => void) => {
      const before = process.cpuUsage();
      task();
      const { user, system } = process.cpuUsage(before);
      times[name].push((1000 * (user + system)) / LENGTH);
    };
    const rounding = (key: number): Rounding => (to === 'int8' ? { to, key } : { to });
    for (let round = 0; round < rounds; round++) {
      const fresh = gradientOf(round);
      timed('round', () => kernels.round(rounding(round), fresh, 0));
      let packed = new Uint8Array();
      timed('pack', () => {
        packed = kernels.pack(fresh) as Uint8Array<ArrayBuffer>;
      });
      const bytes = packed.slice();
      timed('unpack', () => kernels.unpack(bytes, target));
      kernels.free(fresh);
    }
    const share = (block: Block) => kernels.pack(block).byteLength / block.bytes.byteLength;
    for (const [shard, gradient] of gradients.entries())
      kernels.round(rounding(shard), gradient, 0);
    result[`${to} bytes`] = share(gradients[0]!);
    for (const gradient of gradients.slice(1)) kernels.add(gradients[0]!, gradients[0]!, gradient);
    result[`${to} bytes of a sum`] = share(gradients[0]!);
    for (const [name, values] of Object.entries(times)) result[`${to} ${name}Ns`] = median(values);
    for (const gradient of gradients) kernels.free(gradient);
  }
  return result;

  /** Each group of elements has magnitudes of its own. */
  function gradientOf(seed: number): Block {
    const block = kernels.allocate(LENGTH);
    const { values } = block;
    for (let i = 0; i < LENGTH; i++) {
      const size = 10 ** -(2 + ((i >> 12) % 5));
      values[i] = size * Math.sin(i * 1.37 + seed) ** 3;
    }
    return block;
  }
}
