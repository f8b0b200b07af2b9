import assert from 'node:assert/strict';
import { runLocal } from '@tutti/launch';
import { createRandom } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import { simulate } from '../simulation/cluster.js';

const digestAlone = async (program: Program) =>
  (await runLocal(program, { workers: 0 }).result).digest;

const departures = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.event === 'worker-left' ? [event] : []));

describe('the digest does not depend on who joins and leaves politely:', () => {
  it('in the middle of a run, at any message', async () => {
    const program = regression({ epochs: 3 });
    const expected = await digestAlone(program);
    let [left, spoke] = [0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom('come and go', seed);
      const joining = [10 + random.below(200), 10 + random.below(200)];
      const leaving = 10 + random.below(250);
      let ticks = 0;
      const { result, events } = await simulate({
        program,
        workers: 2,
        minWorkers: 1,
        seed,
        disturb(_network, _clock, join, crew) {
          if (joining.includes(ticks)) join();
          if (ticks++ === leaving) void crew[1]!.leave();
        },
      });
      assert.equal(result.digest, expected, `seed ${seed}`);
      for (const { worker, politely, reason } of departures(events)) {
        assert.deepEqual([worker, politely, reason], ['w1', true, 'it left']);
        left++;
      }
      spoke += events.filter((e) => e.event === 'worker-joined' && e.worker > 'w1').length;
    }
    assert.ok(left > 10 && spoke > 10, `${left} left, ${spoke} joined`);
  });

  it('whoever is stopped stops nobody else', async () => {
    const program = regression({ epochs: 3 });
    const expected = await digestAlone(program);
    for (let seed = 0; seed < 20; seed++) {
      const stopped = 10 + createRandom('stop one', seed).below(250);
      let ticks = 0;
      const { result, events } = await simulate({
        program,
        workers: 2,
        minWorkers: 1,
        seed,
        disturb(_network, _clock, _join, crew) {
          if (ticks++ === stopped) void crew[1]!.stop();
        },
      });
      assert.equal(result.digest, expected, `seed ${seed}`);
      if (ticks > 250) assert.equal(departures(events).length, 1, `seed ${seed}`);
    }
  });

  it('whoever leaves hands over what it has computed', async () => {
    const program = regression({ epochs: 3 });
    let ticks = 0;
    let summary: Promise<{ microBatches: number }> | undefined;
    await simulate({
      program,
      workers: 2,
      minWorkers: 1,
      seed: 4,
      disturb(_network, _clock, _join, crew) {
        if (ticks++ !== 120) return;
        summary = crew[1]!.result;
        void crew[1]!.leave();
      },
    });
    assert.ok((await summary!).microBatches > 0);
  });
});

describe('a job with too few workers', () => {
  it('waits, says so every 10 s, and goes on with the next', async () => {
    const program = regression();
    let ticks = 0;
    let joined = false;
    const { result, events } = await simulate({
      program,
      workers: 2,
      seed: 3,
      disturb(network, clock, join) {
        if (ticks++ === 80) network.crash('worker-1');
        if (clock.now() > 35_000 && !joined) {
          joined = true;
          join();
        }
        if (ticks === 81) clock.after(36_000, () => {});
      },
    });
    assert.equal(result.digest, await digestAlone(program));
    const waits = events.flatMap((event) => (event.event === 'waiting' ? [event] : []));
    assert.deepEqual(
      waits.map(({ sinceMs }) => Math.round(sinceMs / 1000)),
      [10, 20, 30],
    );
    for (const { who, what, remedy } of waits) {
      assert.equal(who, '1 of 2 workers');
      assert.match(what, /^join at coordinator:1 \(here: w0\); lost w1 in step \d+: /);
      assert.match(remedy, /tutti worker <program> --coordinator coordinator:1/);
    }
  });

  it('waits also if the last one dies between the initial values and the first step', async () => {
    const program = regression({ epochs: 1 });
    const expected = await digestAlone(program);
    let deaths = 0;
    for (let tick = 8; tick < 60; tick++) {
      let ticks = 0;
      let dead: number | undefined;
      const { result, simulatedMs } = await simulate({
        program,
        workers: 1,
        seed: 8,
        disturb(network, clock, join) {
          if (ticks++ !== tick) return;
          network.crash('worker-0');
          dead = clock.now();
          deaths++;
          clock.after(500, join);
        },
      });
      assert.equal(result.digest, expected, `killed at tick ${tick}`);
      assert.ok(dead === undefined || simulatedMs < 10_000, `${simulatedMs} ms after ${tick}`);
    }
    assert.ok(deaths > 30, `only ${deaths} deaths`);
  });
});
