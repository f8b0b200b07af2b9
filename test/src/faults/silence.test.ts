import assert from 'node:assert/strict';
import { type CoordinatorInit, createCoordinator } from '@tutti/coordinator';
import type { Message, Transport } from '@tutti/protocol';
import { createSimulatedClock, type WaitReport } from '@tutti/runtime';
import { createServer } from '@tutti/server';
import { createMemoryNetwork, type MemoryNetwork } from '@tutti/transport/internal';
import { createWorker, type Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';

type Line = WaitReport & { readonly by: string };
type Type = Message['type'];

const never = () => new Promise<never>(() => {});

/** A network on which some messages never arrive at this end, as if it hung over them. */
function deaf(transport: Transport, types: readonly Type[] = []): Transport {
  return {
    listen: (address, handlers) =>
      transport.listen(address, {
        ...handlers,
        message(peer, envelope) {
          if (!types.includes(envelope.message.type)) handlers.message(peer, envelope);
        },
      }),
    connect: (address, handlers) =>
      transport.connect(address, {
        ...handlers,
        message(envelope) {
          if (!types.includes(envelope.message.type)) handlers.message(envelope);
        },
      }),
  };
}

interface Stall {
  readonly program?: Program;
  readonly workers?: number;
  /** What each role does not hear. */
  readonly ignores?: Partial<Record<'server' | 'coordinator' | 'worker', readonly Type[]>>;
  readonly absent?: 'server' | 'coordinator';
  readonly coordinator?: Partial<CoordinatorInit>;
  readonly disturb?: (network: MemoryNetwork) => void;
  /** When to disturb. */
  readonly atMs?: number;
  readonly untilMs?: number;
}

/** Everything that is said of waits by a job that stalls, on the simulated clock. */
async function linesOf(stall: Stall): Promise<Line[]> {
  const clock = createSimulatedClock();
  const network = createMemoryNetwork({ clock });
  const stopping = new AbortController();
  const { signal } = stopping;
  const lines: Line[] = [];
  const onEvent = (by: string) => (event: { readonly event: string }) => {
    if (event.event === 'waiting') lines.push({ ...(event as unknown as WaitReport), by });
  };
  const on = (host: string, role: 'server' | 'coordinator' | 'worker') => ({
    transport: deaf(network.transport(host), stall.ignores?.[role]),
    clock,
    signal,
    onEvent: onEvent(host),
  });
  const { program = regression(), workers = 2, untilMs = 10_900 } = stall;
  const running: Promise<unknown>[] = [];
  if (stall.absent !== 'server') {
    const server = await createServer({ address: 'server:1', ...on('server', 'server') }).start();
    running.push(server.result);
  }
  if (stall.absent !== 'coordinator') {
    const coordinator = await createCoordinator({
      address: 'coordinator:1',
      servers: [{ connect: 'server:1' }],
      settings: { workers: 2 },
      newId: () => `id-${running.length}`,
      ...on('coordinator', 'coordinator'),
      ...stall.coordinator,
    }).start();
    running.push(coordinator.result);
  }
  for (let at = 0; at < workers; at++) {
    const worker = createWorker({
      program,
      coordinator: 'coordinator:1',
      name: `w${at}`,
      ...on(`w${at}`, 'worker'),
    }).start();
    running.push(worker.result);
  }
  let ended = false;
  void Promise.allSettled(running).then(() => {
    ended = true;
  });
  let { disturb } = stall;
  while (!ended) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (disturb !== undefined && clock.now() >= (stall.atMs ?? 0)) {
      disturb(network);
      disturb = undefined;
    }
    if (clock.now() > untilMs) stopping.abort();
    clock.step();
  }
  return lines;
}

const hanging = (what: 'data' | 'open' | 'initialize' | 'gradient' | 'evaluate' | 'read') => {
  const program = regression();
  // The first gradients and initial values are those of the probe, which everybody computes.
  let calls = 0;
  const after = <A extends unknown[], T>(first: number, call: (...args: A) => T) =>
    function hung(...args: A): T | Promise<never> {
      return calls++ < first ? call(...args) : never();
    };
  return {
    ...program,
    async data() {
      if (what === 'data') return never();
      const data = await program.data();
      if (what !== 'read') return data;
      const { training } = data;
      const read = after(1, (indices: readonly number[]) => training.read(indices));
      return { ...data, training: { ...training, read, size: training.size } };
    },
    async open() {
      if (what === 'open') return never();
      const computation = await program.open();
      const { initialize, gradient, evaluate } = computation;
      return {
        ...computation,
        initialize: what === 'initialize' ? after(2, initialize) : initialize,
        gradient: what === 'gradient' ? after(4, gradient) : gradient,
        evaluate: what === 'evaluate' ? after(0, evaluate) : evaluate,
      };
    },
  } as Program;
};

const matching = (by: string, who: RegExp, what: RegExp, of: readonly Line[]) =>
  of.filter((line) => line.by === by && who.test(line.who) && what.test(line.what));

describe('after 10 s of silence there is a line of who is waited for, for what, and what to do:', () => {
  const cases: [string, Stall, [by: string, who: RegExp, what: RegExp][]][] = [
    [
      'servers that are not there',
      { absent: 'server' },
      [['coordinator', /^the servers? at server:1$/, /^say what they hold$/]],
    ],
    [
      'a server that does not open its range',
      { ignores: { server: ['open'] } },
      [['coordinator', /server:1/, /^open the job$/]],
    ],
    [
      'a server that does not apply a step',
      { ignores: { server: ['apply'] } },
      [
        ['coordinator', /server:1/, /^apply step 0$/],
        ['w0', /^the server at server:1$/, /^send chunks 0 of version 1$/],
      ],
    ],
    [
      'a server that does not send the weights',
      { ignores: { server: ['pull'] } },
      [
        ['coordinator', /^worker w0, w1$/, /^send the gradients of shards 0, 1.* of step 0$/],
        ['w0', /^the server at server:1$/, /^send chunks 0 of version 0$/],
      ],
    ],
    [
      'a server that does not send the trained weights',
      { ignores: { server: ['capture'] } },
      [['coordinator', /server:1/, /^send 1 chunks of the trained weights$/]],
    ],
    [
      'workers that do not come',
      { workers: 1 },
      [
        ['coordinator', /^1 of 2 workers$/, /^join at coordinator:1 \(here: w0\)$/],
        ['w0', /^the coordinator at coordinator:1$/, /^assign shards$/],
      ],
    ],
    [
      'a coordinator that does not welcome',
      { ignores: { worker: ['welcome'] } },
      [['w0', /^the coordinator at coordinator:1$/, /^welcome this worker$/]],
    ],
    [
      'a coordinator that is not there',
      { absent: 'coordinator' },
      [
        ['w0', /^the coordinator at coordinator:1$/, /^welcome this worker$/],
        ['server', /^the coordinator$/, /^open a job$/],
      ],
    ],
    [
      'a coordinator that is gone',
      {
        program: hanging('gradient'),
        disturb: (network) => network.crash('coordinator'),
        atMs: 1000,
        untilMs: 12_500,
      },
      [
        ['server', /^the coordinator$/, /^come back$/],
        ['w0', /^the program$/, /^compute the gradient of shard \d of step \d$/],
      ],
    ],
    [
      'a checkpoint that cannot be read',
      { coordinator: { resume: never } },
      [['coordinator', /^the disk$/, /^read a checkpoint$/]],
    ],
    [
      'data that does not open',
      { program: hanging('data') },
      [['w0', /^the program$/, /^open its data$/]],
    ],
    [
      'a computation that does not open',
      { program: hanging('open') },
      [['w0', /^the program$/, /^open its computation$/]],
    ],
    [
      'initial values that are not made',
      { program: hanging('initialize') },
      [['coordinator', /^worker w[01]$/, /^send the initial values \(0 of 1 chunks are stored\)$/]],
    ],
    [
      'a gradient that is not computed',
      { program: hanging('gradient') },
      [
        ['coordinator', /^worker w/, /^send the gradients of shards .* of step \d$/],
        ['server', /^the coordinator$/, /^go on with job id-\d$/],
        ['w0', /^the program$/, /^compute the gradient of shard \d of step \d$/],
      ],
    ],
    [
      'an evaluation that does not end',
      { program: hanging('evaluate') },
      [
        [
          'coordinator',
          /^worker w/,
          /^evaluate shards .* at version \d+ \(for the first time with 13 examples at once, which/,
        ],
        ['w0', /^the program$/, /^evaluate shard \d at version \d+$/],
      ],
    ],
    [
      'data that is not read',
      { program: hanging('read') },
      [['w0', /^the (?:training data|program)$/, /^(?:give the micro-batch|compute a probe)/]],
    ],
    [
      'a trained model that is not written',
      { coordinator: { checkpoints: { write: never } as never } },
      [['coordinator', /^the disk$/, /^write the trained model$/]],
    ],
  ];
  for (const [what, stall, expected] of cases)
    it(what, async () => {
      const lines = await linesOf(stall);
      const said = lines.map(({ by, who, what }) => `${by}: ${who} to ${what}`).join('\n');
      for (const [by, who, about] of expected) {
        const [line] = matching(by, who, about, lines);
        assert.ok(line !== undefined, `${by} does not wait for ${who} to ${about}:\n${said}`);
        assert.ok(line.sinceMs >= 10_000 && line.sinceMs < 10_100, `${line.sinceMs} ms`);
        assert.ok(line.remedy.length > 10, line.remedy);
      }
    });
});
