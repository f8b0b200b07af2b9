import assert from 'node:assert/strict';
import { createKernels, type Kernels } from '@tutti/kernels';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Computation, Program } from '@tutti/worker';
import { altered } from '../programs/altered.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** The program on a machine that flips one bit of a gradient now and then. */
function flipping(program: Program, flip: () => boolean, seed: number): Program {
  const random = createRandom('flips', seed);
  return {
    ...program,
    async open(): Promise<Computation> {
      const computation = await program.open();
      // The probe is computed twice, and ends the worker if it is not steady.
      let probes = 2;
      return {
        ...computation,
        async gradient(weights, microBatch) {
          const result = await computation.gradient(weights, microBatch);
          if (probes-- > 0 || !flip()) return result;
          const w = Float32Array.from(result.gradient.w!);
          const bits = new Uint32Array(w.buffer);
          const at = random.below(bits.length);
          // Not the highest of the exponent: that could make it infinite, which anybody would notice.
          bits[at] = bits[at]! ^ (1 << random.below(29));
          return { ...result, gradient: { ...result.gradient, w } };
        },
      };
    },
  };
}

/** The program on a machine that rounds differently. */
const rounding = (program: Program) =>
  altered(program, (result) => {
    const b = result.gradient.b!.map((value) => value * (1 + 2 ** -22));
    return { ...result, gradient: { ...result.gradient, b } };
  });

const excludedOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.event === 'worker-excluded' ? [event] : []));

describe('--verify', () => {
  it('finds a worker that flips a bit now and then, and does not use what it gave', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    let found = 0;
    for (let seed = 0; seed < 50; seed++) {
      const random = createRandom('faulty', seed);
      const workers = 2 + random.below(4);
      const faulty = random.below(workers);
      const often = [0.5, 0.1, 0.02][random.below(3)]!;
      let flips = 0;
      const flip = () => {
        const flipped = random.next() < often;
        if (flipped) flips++;
        return flipped;
      };
      const { result, events } = await simulate({
        program,
        workers,
        servers: 1 + random.below(2),
        minWorkers: 1,
        verify: 1,
        seed,
        worker: (at) => (at === faulty ? { program: flipping(program, flip, seed) } : {}),
      });
      assert.equal(result.digest, expected.digest, `seed ${seed}`);
      const excluded = excludedOf(events);
      assert.deepEqual(
        excluded.map(({ worker }) => worker),
        flips > 0 ? [`w${faulty}`] : [],
        `seed ${seed}`,
      );
      if (flips > 0) found++;
      const told = events.flatMap((each) => (each.event === 'warning' ? [each] : []));
      assert.equal(told.length, excluded.length, `seed ${seed}`);
      for (const { code, message } of told) {
        assert.equal(code, 'ARITHMETIC');
        assert.match(message, new RegExp(`^Worker w${faulty} \\(.*\\) gave wrong bits for shards`));
      }
    }
    assert.ok(found > 25, `only ${found} runs had flips`);
  });

  it('sees a bit that flips in the addition, after the gradients', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    let additions = 0;
    const kernels = createKernels();
    const broken: Kernels = {
      ...kernels,
      add(target, left, right) {
        const largest = kernels.add(target, left, right);
        if (++additions === 10) target.bytes[2]! ^= 8;
        return largest;
      },
    };
    const { result, events } = await simulate({
      program,
      workers: 3,
      minWorkers: 1,
      verify: 1,
      seed: 5,
      worker: (at) => (at === 1 ? { kernels: broken } : {}),
    });
    assert.equal(result.digest, expected.digest);
    assert.deepEqual(
      excludedOf(events).map(({ worker }) => worker),
      ['w1'],
    );
  });

  it('finds a worker whose evaluations are wrong now and then, and reports the right ones', async () => {
    const program = regression();
    const epochsOf = (events: readonly RunEvent[]) =>
      events.flatMap((event) => (event.event === 'epoch' ? [event.evaluation] : []));
    const right: RunEvent[] = [];
    const expected = await runLocal(program, { workers: 0, onEvent: (event) => right.push(event) })
      .result;
    let found = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom('evaluations', seed);
      const workers = 2 + random.below(3);
      let lies = 0;
      const lying: Program = {
        ...program,
        async open(): Promise<Computation> {
          const computation = await program.open();
          return {
            ...computation,
            async evaluate(weights, batch) {
              const result = await computation.evaluate(weights, batch);
              if (random.below(3) > 0) return result;
              return { ...result, lossSum: result.lossSum * (1 + ++lies * 2 ** -20) };
            },
          };
        },
      };
      const { result, events } = await simulate({
        program,
        workers,
        minWorkers: 1,
        verify: 1,
        seed,
        worker: (at) => (at === 1 ? { program: lying } : {}),
      });
      assert.equal(result.digest, expected.digest, `seed ${seed}`);
      assert.deepEqual(epochsOf(events), epochsOf(right), `seed ${seed}`);
      const excluded = excludedOf(events).map(({ worker }) => worker);
      if (excluded.length === 0) continue;
      // Or it was right, or others were sooner: then its numbers are not used.
      assert.deepEqual(excluded, ['w1'], `seed ${seed}`);
      found++;
      const told = JSON.stringify(events.filter(({ event }) => event === 'warning'));
      assert.match(told, /Worker w1 .* gave wrong bits for shards \d in the evaluation of version/);
    }
    assert.ok(found > 20, `only ${found} runs had wrong evaluations`);
  });

  it('excludes the one of three whose arithmetic is another', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let faulty = 0; faulty < 3; faulty++) {
      const { result, events } = await simulate({
        program,
        workers: 3,
        minWorkers: 1,
        verify: 1,
        seed: faulty,
        worker: (at) => (at === faulty ? { program: rounding(program) } : {}),
      });
      assert.equal(result.digest, expected.digest);
      assert.deepEqual(
        excludedOf(events).map(({ worker }) => worker),
        [`w${faulty}`],
      );
    }
  });

  it('ends the run, before a weight has moved, if only two differ and nobody can decide', async () => {
    const program = regression();
    const told: RunEvent[] = [];
    const run = simulate({
      program,
      workers: 2,
      minWorkers: 1,
      verify: 1,
      seed: 3,
      worker: (at) => (at === 1 ? { program: rounding(program) } : {}),
      onEvent: (event) => told.push(event),
    });
    await assert.rejects(run, {
      code: 'ARITHMETIC',
      message:
        /^Workers w[01] \(.*\) and w[01] \(.*\) give different bits for shards [\d, ]+ of step 0, each the same again when asked twice/,
    });
    assert.ok(told.every(({ event }) => event !== 'step'));
  });

  it('compares a worker that is alone with itself', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    let calls = 0;
    const { result, events } = await simulate({
      program,
      workers: 1,
      minWorkers: 1,
      verify: 1,
      seed: 3,
      worker: (at) => (at === 0 ? { program: flipping(program, () => ++calls === 60, 1) } : {}),
      disturb: (() => {
        let joined = false;
        return (_network, _clock, join) => {
          if (joined || calls < 60) return;
          joined = true;
          join();
        };
      })(),
    });
    assert.equal(result.digest, expected.digest);
    assert.equal(excludedOf(events).length, 1);
  });

  it('does not mind workers that come and go while they check', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 40; seed++) {
      const random = createRandom('coming and going', seed);
      const workers = 2 + random.below(3);
      const [gone, comes, away] = [1, 2, 3].map(() => 30 + random.below(300));
      let ticks = 0;
      const { result, events } = await simulate({
        program,
        workers,
        minWorkers: 1,
        verify: 0.7,
        seed,
        disturb(network, clock, join) {
          ticks++;
          if (ticks === gone) network.crash(`worker-${random.below(workers)}`);
          if (ticks === comes) join();
          if (ticks !== away) return;
          network.cut('worker-0', 'coordinator', 'both');
          clock.after(200 + random.below(1000), () => network.heal('worker-0', 'coordinator'));
        },
      });
      assert.equal(result.digest, expected.digest, `seed ${seed}`);
      assert.deepEqual(excludedOf(events), [], `seed ${seed}`);
    }
  });

  it('has another check what a worker that hangs was to check', async () => {
    const program = regression();
    const expected = await runLocal(program, { workers: 0 }).result;
    for (let seed = 0; seed < 10; seed++) {
      const random = createRandom('hanging', seed);
      let calls = 0;
      const until = 3 + random.below(90);
      const hanging: Program = {
        ...program,
        async open(): Promise<Computation> {
          const computation = await program.open();
          return {
            ...computation,
            gradient: (...given) =>
              ++calls > until ? new Promise(() => {}) : computation.gradient(...given),
          };
        },
      };
      const { result, events } = await simulate({
        program,
        workers: 2 + random.below(2),
        minWorkers: 1,
        verify: 1,
        seed,
        worker: (at) => (at === 1 ? { program: hanging } : {}),
      });
      assert.equal(result.digest, expected.digest, `seed ${seed}`);
      assert.deepEqual(excludedOf(events), [], `seed ${seed}`);
    }
  });
});
