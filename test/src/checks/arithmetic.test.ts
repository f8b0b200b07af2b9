import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import type { HostFacts } from '@tutti/protocol';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { altered } from '../programs/altered.js';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

/** Rounds differently, as another processor or library does. */
const otherRounding = altered(regression(), (result) => {
  const w = result.gradient.w!;
  w[3] = Math.fround(w[3]! * (1 + 2 ** -23));
  return result;
});

const host = (cpu: string, threads: string): HostFacts => ({
  hostname: `host-of-${cpu.toLowerCase()}`,
  pid: 7,
  cpu,
  node: 'v22.1.0',
  arithmetic: { tensorflow: '2.21.0', threads },
});

const mixed = (at: number) =>
  at === 2 ? { program: otherRounding, host: host('Atom', '4') } : { host: host('Zen', '1') };

const DIFFERENCE =
  /worker w2 \(host-of-atom, process 7, Atom, 4 threads\) has other bits than that of worker w[01] \(host-of-zen, process 7, Zen, 1 thread\) and 1 more, .*cpu: Zen and Atom; threads: 1 and 4/;

describe('the arithmetic of a worker', () => {
  it('that differs is a warning naming both machines', async () => {
    const program = regression();
    const { events, result } = await simulate({ program, workers: 3, seed: 1, worker: mixed });
    const warnings = events.filter(({ event }) => event === 'warning');
    assert.equal(warnings.length, 1);
    assert.match(JSON.stringify(warnings[0]), /"code":"ARITHMETIC"/);
    // Whoever probed last is the one that differs, or all the others do.
    assert.match(
      JSON.stringify(warnings[0]),
      /host-of-atom.*host-of-zen|host-of-zen.*host-of-atom/,
    );
    const alone = await runLocal(program, { workers: 0 }).result;
    assert.notEqual(result.digest, alone.digest, 'the other rounding was trained on');
  });

  it('that differs is told of the odd one out, whoever came first', async () => {
    for (let odd = 0; odd < 3; odd++)
      for (const seed of [1, 2, 3, 4]) {
        const told: RunEvent[] = [];
        const worker = (at: number) => mixed(at === odd ? 2 : 0);
        const init = { program: regression(), workers: 3, worker, seed };
        const { events } = await simulate(init);
        const warnings = events.filter(({ event }) => event === 'warning');
        const names = new RegExp(
          `worker w${odd} \\(host-of-atom.* than that of worker w\\d .* and 1 more,`,
        );
        assert.equal(warnings.length, 1);
        assert.match(JSON.stringify(warnings), names);
        // Refused, it is one too few.
        const strict = simulate({ ...init, strict: true, onEvent: (event) => told.push(event) });
        await assert.rejects(strict, { code: 'DEADLINE', message: /1 of 3 workers/ });
        const left = told.flatMap((event) => (event.event === 'worker-left' ? event.worker : []));
        assert.deepEqual(left, [`w${odd}`]);
      }
  });

  it('is that of the run for whoever joins it later', async () => {
    let ticks = 0;
    const { result, events } = await simulate({
      program: regression(),
      workers: 1,
      seed: 1,
      strict: true,
      worker: (at) => mixed(at === 0 ? 0 : 2),
      disturb: (_network, _clock, join) => void ([50, 60, 70].includes(ticks++) && join()),
    });
    assert.equal(result.digest, (await runLocal(regression(), { workers: 0 }).result).digest);
    const left = events.flatMap((event) => (event.event === 'worker-left' ? event.worker : []));
    assert.deepEqual(left.sort(), ['w1', 'w2', 'w3']);
  });

  it('that gives other initial values is a warning too', async () => {
    const program = regression();
    const initial: Program = {
      ...program,
      open: async () => ({
        ...(await program.open()),
        async initialize(seed) {
          const { w, b } = await (await program.open()).initialize(seed);
          // Too little to change the bits of a gradient.
          return { w: w!, b: b!.map(() => 2 ** -149) };
        },
      }),
    };
    const { events } = await simulate({
      program,
      workers: 3,
      seed: 1,
      worker: (at) => (at === 2 ? { program: initial } : {}),
    });
    assert.equal(events.filter(({ event }) => event === 'warning').length, 1);
  });

  it('that is the same is no warning', async () => {
    const { events } = await simulate({ program: regression(), workers: 3, seed: 1 });
    assert.deepEqual(
      events.filter(({ event }) => event === 'warning'),
      [],
    );
  });

  it('that differs refuses the worker with --strict, before a step is made', async () => {
    const run = simulate({
      program: regression(),
      workers: 3,
      seed: 1,
      strict: true,
      worker: mixed,
      onEvent: (event) => told.push(event),
    });
    const told: RunEvent[] = [];
    // The third worker is awaited in vain: nobody else comes.
    await assert.rejects(run, { code: 'DEADLINE', message: /1 of 3 workers/ });
    const warnings = told.filter(({ event }) => event === 'warning');
    assert.match(JSON.stringify(warnings), DIFFERENCE);
    assert.ok(told.every(({ event }) => event !== 'started'));
  });
});

describe('a worker that joins a running job', () => {
  const program = regression();
  const joins = (at: number, late: Program) => {
    let ticks = 0;
    return simulate({
      program,
      workers: 2,
      seed: at,
      worker: (which) => (which === 2 ? { program: late } : {}),
      disturb: (_network, _clock, join) => void (ticks++ === at && join()),
    });
  };

  for (const [what, faulty] of [
    ['hangs', () => new Promise<never>(() => {})],
    [
      'throws',
      () => {
        throw new Error('no such device');
      },
    ],
  ] as const)
    it(`and ${what} in its probe changes nothing for the others`, async () => {
      const expected = await runLocal(program, { workers: 0 }).result;
      const late = {
        ...program,
        open: async () => ({ ...(await program.open()), gradient: faulty }),
      };
      for (const at of [30, 45, 60]) {
        const { result, events } = await joins(at, late);
        assert.equal(result.digest, expected.digest);
        const told = JSON.stringify(events.filter(({ event }) => event === 'warning'));
        if (what === 'throws') assert.match(told, /no such device/);
        else assert.equal(told, '[]');
      }
    });
});

describe('a program that is not a function of its arguments', () => {
  it('is found before it trains, naming the tensor', async () => {
    let calls = 0;
    const program = altered(regression(), (result) => {
      const b = result.gradient.b!;
      b[0] = b[0]! + calls++;
      return result;
    });
    await assert.rejects(simulate({ program, workers: 2, seed: 1 }), (error: Error) => {
      assert.match(error.message, /computed twice gives different bits: the gradient of "b" is/);
      assert.match(error.message, /in element 0 \(step 0, shard 0 on worker w\d\)/);
      return true;
    });
  });
});
