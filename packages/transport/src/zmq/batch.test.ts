import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import fc from 'fast-check';
import { UNHURRIED_MS } from '../tunables.js';
import { createFrameBatcher, messagesIn } from './batch.js';

const clock = createSimulatedClock();
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('batch', () => {
  it('brings every message of a turn, whole and in order, in fewer sends', async () => {
    const frame = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from([0x80, ...bytes]));
    const large = fc.constant(Buffer.alloc(20_000, 7));
    const message = fc.array(fc.oneof({ weight: 9, arbitrary: frame }, large), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 40 }), async (messages) => {
        const sent: Uint8Array[][] = [];
        const batcher = createFrameBatcher((frames) => sent.push(frames), clock);
        for (const frames of messages) batcher.send(frames);
        await turn();
        const arrived = sent.flatMap((frames) => messagesIn(frames.map((f) => Buffer.from(f))));
        assert.deepEqual(arrived, messages);
        const alone = messages.filter((frames) => frames.some(({ length }) => length > 16_384));
        assert.ok(sent.length <= 2 * alone.length + 1 + Math.floor(messages.length / 16));
      }),
    );
  });

  it('keeps later turns apart and sends at once when asked', async () => {
    const sent: Uint8Array[][] = [];
    const batcher = createFrameBatcher((frames) => sent.push(frames), clock);
    batcher.send([Buffer.of(0x80)]);
    await turn();
    batcher.send([Buffer.of(0x81)]);
    batcher.flush();
    assert.deepEqual(sent, [[Buffer.of(0x80)], [Buffer.of(0x81)]]);
    await turn();
    assert.equal(sent.length, 2);
  });

  it('has what nobody waits for wait for others, and not for long', async () => {
    const sent: Uint8Array[][] = [];
    const clock = createSimulatedClock();
    const batcher = createFrameBatcher((frames) => sent.push(frames), clock);
    batcher.send([Buffer.of(0x80)], 0, true);
    await turn();
    assert.equal(sent.length, 0);
    batcher.send([Buffer.of(0x81)]);
    await turn();
    assert.deepEqual(messagesIn(sent[0]!.map((f) => Buffer.from(f))).flat(), [
      Buffer.of(0x80),
      Buffer.of(0x81),
    ]);
    batcher.send([Buffer.of(0x82)], 0, true);
    clock.advance(UNHURRIED_MS - 1);
    assert.equal(sent.length, 1);
    clock.advance(1);
    assert.deepEqual(sent[1], [Buffer.of(0x82)]);
  });

  it('sends at once where much lies beside the frames', () => {
    const sent: Uint8Array[][] = [];
    const batcher = createFrameBatcher((frames) => sent.push(frames), clock);
    batcher.send([Buffer.of(0x80)], 1000);
    assert.equal(sent.length, 0);
    batcher.send([Buffer.of(0x81)], 1 << 20);
    assert.equal(sent.length, 1);
    assert.deepEqual(messagesIn(sent[0]!.map((f) => Buffer.from(f))).length, 2);
  });

  it('refuses a batch whose frames do not add up', () => {
    const one = Buffer.of(0x80);
    for (const counts of [[3], [1], [1, 1, 1], [0, 2]])
      assert.throws(() => messagesIn([Buffer.of(4, ...counts), one, one]), /announced/);
  });
});
