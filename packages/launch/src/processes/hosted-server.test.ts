import assert from 'node:assert/strict';
import { type Connection, type Message, PROTOCOL_VERSION, type Transport } from '@tutti/protocol';
import type { ServerEvent } from '@tutti/server';
import { samplePlan } from '@tutti/testing';
import { createLocalTransport } from '@tutti/transport';
import { hostServer } from './hosted-server.js';

const plan = samplePlan({ parameters: [{ name: 'w', shape: [3] }] });
const STAMP = { protocol: PROTOCOL_VERSION, job: 'j', session: 's' };

/** A coordinator of few words. */
function connectTo(transport: Transport, address: string) {
  const heard: Message[] = [];
  let wake = () => {};
  const connection: Connection = transport.connect(address, {
    message({ message }) {
      heard.push(message);
      wake();
    },
    closed() {},
  });
  return {
    connection,
    async answer(type: Message['type']) {
      while (heard.at(-1)?.type !== type)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

async function host(events: ServerEvent['event'][] = [], more: object = {}) {
  const outside = createLocalTransport();
  const hosted = await hostServer({
    ...{ address: 'local://w0', transport: outside, settings: {}, timeline: undefined },
    onEvent: ({ event }) => void events.push(event),
    ...more,
  });
  return { hosted, outside };
}

async function open({ connection, answer }: ReturnType<typeof connectTo>) {
  connection.send({ message: { ...STAMP, type: 'open', plan, firstChunk: 0, chunks: 1 } });
  await answer('opened');
}

const isOver = (promise: Promise<unknown>) =>
  Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => setImmediate(() => resolve(false)))),
  ]);

describe('a server in the process of a worker', () => {
  it('is reached by others, and by its worker without their transport', async () => {
    const events: ServerEvent['event'][] = [];
    const { hosted, outside } = await host(events);
    assert.equal(hosted.address, 'local://w0');
    await open(connectTo(outside, hosted.address));
    const { traffic } = hosted.running;
    const before = traffic.receivedBytes;
    const own = connectTo(hosted.transport, hosted.address);
    own.connection.send({ message: { ...STAMP, type: 'pull', version: 0 } as Message });
    await isOver(new Promise(() => {}));
    assert.equal(traffic.receivedBytes, before);
    assert.deepEqual(events, ['opened']);
    await hosted.end(false);
  });

  it('tells where others reach it, if that is elsewhere', async () => {
    const { hosted } = await host([], { advertised: async () => 'tcp://n1:7' });
    assert.equal(hosted.address, 'tcp://n1:7');
    await hosted.end(false);
  });

  it('ends with its worker, which has no job any more', async () => {
    const { hosted, outside } = await host();
    await open(connectTo(outside, hosted.address));
    await hosted.end(false);
    await assert.rejects(hosted.running.result, { code: 'ABORTED' });
  });

  it('goes on to the end of the job that its worker has left', async () => {
    const { hosted, outside } = await host();
    const coordinator = connectTo(outside, hosted.address);
    await open(coordinator);
    const ended = hosted.end(true);
    assert.equal(await isOver(ended), false);
    coordinator.connection.send({ message: { ...STAMP, type: 'finish' } });
    await ended;
  });

  it('ends with a worker that leaves if it holds nothing', async () => {
    const { hosted } = await host();
    await hosted.end(true);
  });
});
