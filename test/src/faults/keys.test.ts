import assert from 'node:assert/strict';
import { askStatus, createCoordinator } from '@tutti/coordinator';
import { runLocal } from '@tutti/launch';
import type { Transport } from '@tutti/protocol';
import { createServer, type ServerEvent } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createZmqTransport } from '@tutti/transport';
import { createWorker } from '@tutti/worker';
import { regression } from '../programs/regression.js';

type Key = Uint8Array | undefined;

const KEY = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);
const address = 'tcp://127.0.0.1:0';

const by = (key: Key) => createZmqTransport({ key });

/** One job, of which every way from one role to another has a key of its own at both ends. */
async function play(keys: {
  readonly coordinator: Key;
  readonly server: Key;
  /** Those of whoever connects. */
  readonly toServer: Key;
  readonly worker: Key;
  readonly workerToServer: Key;
}) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const told: string[] = [];
  let heard = () => {};
  const tell = (text: string) => {
    told.push(text);
    heard();
  };
  const server = await createServer({
    address,
    transport: by(keys.server),
    signal,
    onEvent: (event: ServerEvent) => event.event === 'refused' && tell(event.reason),
  }).start();
  const serverAddress = server.addresses[0]!;
  const coordinator = await createCoordinator({
    address,
    servers: [{ connect: serverAddress, transport: by(keys.toServer) }],
    settings: { workers: 1 },
    transport: by(keys.coordinator),
    signal,
    onEvent: (event: RunEvent) => event.event === 'warning' && tell(event.message),
  }).start();
  const [toCoordinator, toServer] = [by(keys.worker), by(keys.workerToServer)];
  const transport: Transport = {
    ...toCoordinator,
    connect: (to, handlers) =>
      (to === serverAddress ? toServer : toCoordinator).connect(to, handlers),
  };
  const worker = (signal: AbortSignal) =>
    createWorker({
      program: regression(),
      coordinator: coordinator.address,
      transport,
      signal,
    }).start();
  return {
    coordinator,
    signal,
    worker: () => worker(signal),
    /** Resolves when one of those who listen says so. */
    async says(what: RegExp) {
      while (!told.some((text) => what.test(text)))
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
    },
    async end() {
      stopping.abort();
      await Promise.all([coordinator.stop(), server.stop()]);
    },
  };
}

type Job = Awaited<ReturnType<typeof play>>;

const whole = (key: Key) => ({
  coordinator: key,
  server: key,
  toServer: key,
  worker: key,
  workerToServer: key,
});

/** Whoever connects fails with this. */
const refused = (peer: RegExp, reason: RegExp) => (error: Error & { code?: string }) => {
  assert.equal(error.code, 'REFUSED');
  assert.match(error.message, /There is no key in common with/);
  assert.match(error.message, peer);
  assert.match(error.message, reason);
  assert.match(`${(error as unknown as { remedy: string }).remedy}`, /--key-file/);
  return true;
};

describe('the key of a job', () => {
  it('changes nothing in the digest, and everybody who has it is answered', async () => {
    const expected = await runLocal(regression(), { workers: 0 }).result;
    for (const key of [KEY, undefined]) {
      const job = await play(whole(key));
      try {
        const status = await askStatus({ address: job.coordinator.address, transport: by(key) });
        assert.notEqual(status.job, '');
        const worker = job.worker();
        assert.equal((await job.coordinator.result).digest, expected.digest);
        await worker.result;
      } finally {
        await job.end();
      }
    }
  });

  /** What the two ends have, and what each says of the other. */
  const misfits: [what: string, theirs: Key, ours: Key, client: RegExp, listener: RegExp][] = [
    ['another key', KEY, OTHER, /it has another key$/, /not have the key .*it has another key/],
    ['no key', KEY, undefined, /it wants the key of its job/, /not have the key .*it has no key/],
    [
      'a key where there is none',
      undefined,
      KEY,
      /it has no key/,
      /has a key where this job has none/,
    ],
  ];

  const pairs: Record<
    string,
    {
      readonly peer: RegExp;
      keys(theirs: Key, ours: Key): Parameters<typeof play>[0];
      fails(job: Job, ours: Key): Promise<unknown>;
    }
  > = {
    'a worker, at the coordinator': {
      peer: /the coordinator at tcp:/,
      keys: (theirs, ours) => ({ ...whole(theirs), worker: ours }),
      fails: (job) => job.worker().result,
    },
    'a worker, at a server': {
      peer: /the parameter server at tcp:/,
      keys: (theirs, ours) => ({
        ...whole(KEY),
        server: theirs,
        toServer: theirs,
        workerToServer: ours,
      }),
      fails: (job) => job.worker().result,
    },
    'the coordinator, at a server': {
      peer: /the server at tcp:/,
      keys: (theirs, ours) => ({ ...whole(KEY), server: theirs, toServer: ours }),
      fails: (job) => job.coordinator.result,
    },
    'who asks for the status': {
      peer: /the coordinator at tcp:/,
      keys: (theirs) => whole(theirs),
      fails: (job, ours) => askStatus({ address: job.coordinator.address, transport: by(ours) }),
    },
  };
  for (const [who, { peer, keys, fails }] of Object.entries(pairs))
    for (const [what, theirs, ours, client, listener] of misfits)
      it(`refuses at once ${who}, with ${what}, and both say so`, async () => {
        const job = await play(keys(theirs, ours));
        try {
          await assert.rejects(fails(job, ours), refused(peer, client));
          await job.says(listener);
        } finally {
          job.coordinator.result.catch(() => {});
          await job.end();
        }
      });
});
