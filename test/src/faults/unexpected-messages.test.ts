import assert from 'node:assert/strict';
import { createCoordinator } from '@tutti/coordinator';
import { type Body, type Message, PROTOCOL_VERSION } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { createServer, type ServerEvent } from '@tutti/server';
import type { RunEvent } from '@tutti/telemetry';
import { createLocalTransport } from '@tutti/transport';
import { sampleJoin } from './sample-join.js';

/** Until everybody has heard what was on its way. */
async function turns(holds: () => boolean) {
  while (!holds()) await new Promise(setImmediate);
}

const stamp = { protocol: PROTOCOL_VERSION, job: '', session: '' };

function textOf(message: Message | undefined): string {
  assert.ok(message?.type === 'refused', `${message?.type}`);
  return message.error.message;
}

describe('a message that a role does not expect is refused with a reason', () => {
  const clock = createSimulatedClock();
  const transport = createLocalTransport({ clock });
  const stop = new AbortController();
  const { signal } = stop;
  const ended: Promise<unknown>[] = [];

  after(async () => {
    stop.abort();
    await Promise.allSettled(ended);
  });

  function connect(address: string) {
    const heard: Message[] = [];
    const connection = transport.connect(address, {
      message: ({ message }) => heard.push(message),
    });
    const say = (body: Body, more: Partial<Message> = {}) =>
      connection.send({ message: { ...stamp, ...body, ...more } as Message });
    return { heard, say };
  }

  it('by a server, which does not answer a refusal by another', async () => {
    const events: ServerEvent[] = [];
    const onEvent = (event: ServerEvent) => void events.push(event);
    const server = await createServer({ address: 's', transport, signal, onEvent, clock }).start();
    ended.push(server.result);
    const { heard, say } = connect(server.addresses[0]!);
    say({ ...sampleJoin('w0') });
    await turns(() => heard.length > 0);
    assert.match(textOf(heard[0]), /^A server takes no message of type join/);
    const error = { code: 'REFUSED', message: 'no', remedy: 'none', details: {} } as const;
    say({ type: 'refused', error });
    say({ type: 'inquire' });
    await turns(() => heard.length > 1);
    assert.equal(heard[1]!.type, 'holding');
    assert.ok(events.some((event) => event.event === 'refused'));
  });

  it('by a coordinator, of a worker and of a server', async () => {
    const events: RunEvent[] = [];
    const toServer: Message[] = [];
    const listener = await transport.listen('fake', {
      message(peer, { message }) {
        toServer.push(message);
        if (message.type !== 'inquire') return;
        // Nothing that a server says.
        listener.send(peer, { message: { ...stamp, type: 'pull', version: 0 } });
        listener.send(peer, { message: { ...stamp, type: 'holding' } });
      },
    });
    const coordinator = await createCoordinator({
      address: 'coordinator',
      servers: [{ connect: listener.address }],
      settings: { workers: 3, shards: 3 },
      ...{ transport, clock, signal },
      onEvent: (event) => void events.push(event),
    }).start();
    ended.push(coordinator.result);
    await turns(() => toServer.length > 1);
    assert.match(textOf(toServer[1]), /^A coordinator takes no message of type pull from a server/);

    const { heard, say } = connect(coordinator.address);
    say(sampleJoin('w0'));
    await turns(() => heard.length > 0);
    const [welcome] = heard;
    assert.equal(welcome!.type, 'welcome');
    const { job, session } = welcome!;
    say({ type: 'pull', version: 0 }, { job, session });
    await turns(() => heard.length > 1);
    assert.match(textOf(heard[1]), /^A coordinator takes no message of type pull from a worker/);
    const warnings = events.filter(({ event }) => event === 'warning');
    assert.equal(warnings.length, 2);
    await listener.close(0);
  });
});
