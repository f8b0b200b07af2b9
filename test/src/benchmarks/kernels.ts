import { type Block, createKernels, type Kernels } from '@tutti/kernels';
import { median } from './median.js';

const ROUNDS = 15;
const SIZES = { '1M': 2 ** 20, '8M': 2 ** 23 } as const;

/**
 * The same two ratios of hand-written AssemblyScript on one AMD Zen 4. Nanoseconds for an element, of
 * 1M and 8M: accumulate 0.100 and 0.230, Adam 0.593 and 0.685, and copying, which is what "copy,
 * then accumulate" took longer: 0.132 and 0.190.
 */
const REFERENCE = {
  '1M': { add: 0.1 / 0.132, adam: 0.593 / 0.132 },
  '8M': { add: 0.23 / 0.19, adam: 0.685 / 0.19 },
};

const RULE = {
  kind: 'adam',
  // So small that thousands of rounds move the weights nowhere.
  learningRate: 1e-12,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  correction1: 0.1,
  correction2: 0.001,
  decoupledDecay: 0,
} as const;
const CONDITIONING = {
  divisor: 128,
  weightDecay: 0,
  scale: 1,
  clipValue: Number.POSITIVE_INFINITY,
};

/**
 * Nanoseconds per float32 element of copying, adding and Adam at 1M and 8M elements, the last two as
 * ratios to the copy, and these as ratios to the reference. The three are measured in turn, so that a
 * slow spell of the machine hits all of them; each number is the median over the rounds. Keys:
 * `copy1M`, `add1M`, `adam1M`, `addToCopy1M`, `adamToCopy1M`, `addToReference1M`,
 * `adamToReference1M`, `idleToAdam1M`, and the same for 8M. Idle is Adam of weights that have had no gradient for
 * so long that their first moments would be denormal.
 */
export async function benchKernels(): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const size of ['1M', '8M'] as const) {
    const { copy, add, adam, idle } = measure(SIZES[size]);
    const reference = REFERENCE[size];
    Object.assign(result, {
      [`copy${size}`]: copy,
      [`add${size}`]: add,
      [`adam${size}`]: adam,
      [`addToCopy${size}`]: add / copy,
      [`adamToCopy${size}`]: adam / copy,
      [`addToReference${size}`]: add / copy / reference.add,
      [`adamToReference${size}`]: adam / copy / reference.adam,
      [`idleToAdam${size}`]: idle / adam,
    });
  }
  return result;
}

function measure(length: number): Record<'copy' | 'add' | 'adam' | 'idle', number> {
  const kernels = createKernels();
  const blocks = Array.from({ length: 5 }, () => filled(kernels, length));
  const [weights, sum, first, second, fading] = blocks as [Block, Block, Block, Block, Block];
  fading.values.fill(2 ** -126);
  const source = new Float32Array(length).fill(1);
  const target = new Float32Array(length);
  const zero = kernels.allocate(length);
  zero.values.fill(0);
  const tasks = {
    copy: () => target.set(source),
    add: () => kernels.add(sum, sum, zero),
    adam: () => kernels.update(RULE, CONDITIONING, weights, sum, [first, second], 0, length),
    idle: () => kernels.update(RULE, CONDITIONING, weights, zero, [fading, second], 0, length),
  };
  // At 1M a single call is over in 0.1 ms: several make the clock's and the scheduler's grain small.
  const calls = Math.max(1, Math.round(2 ** 23 / length));
  const times: Record<keyof typeof tasks, number[]> = { copy: [], add: [], adam: [], idle: [] };
  for (let round = -2; round < ROUNDS; round++) {
    for (const name of ['copy', 'add', 'adam', 'idle'] as const) {
      const start = process.hrtime.bigint();
      for (let call = 0; call < calls; call++) tasks[name]();
      const nanoseconds = Number(process.hrtime.bigint() - start);
      if (round >= 0) times[name].push(nanoseconds / calls / length);
    }
  }
  const { copy, add, adam, idle } = times;
  return { copy: median(copy), add: median(add), adam: median(adam), idle: median(idle) };
}

function filled(kernels: Kernels, length: number): Block {
  const block = kernels.allocate(length);
  const { values } = block;
  for (let index = 0; index < length; index++) values[index] = 0.5 + (index % 1000) / 1000;
  return block;
}
