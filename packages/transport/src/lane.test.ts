import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { acceptLane, offerLane, readOffer } from './lane.js';

const available = existsSync('/dev/shm');

/** Both ends of a lane; what one end sends for itself arrives at the other at once. */
function pair() {
  const offering = offerLane((frame) => void accepted.fetch([frame]))!;
  const accepted = acceptLane(offering.offer, (frame) => void offering.fetch([frame]))!;
  return { offering, accepted };
}

const header = Buffer.of(0x80);
const payload = (bytes: number, value: number) => new Uint8Array(bytes).fill(value);

(available ? describe : describe.skip)('lane', () => {
  it('carries payloads beside the frames, both ways, far beyond its size', () => {
    const { offering, accepted } = pair();
    for (let i = 0; i < 300; i++)
      for (const [from, to] of [
        [offering, accepted],
        [accepted, offering],
      ] as const) {
        const frames = from.stow([header, payload(262_144, i)]);
        assert.equal(frames.length, 3);
        const [, received] = to.fetch(frames)!;
        assert.equal(Buffer.compare(received!, payload(262_144, i)), 0);
      }
    offering.close();
    accepted.close();
  });

  it('leaves frames as they are when they are small, or nobody frees its room', () => {
    const { offering, accepted } = pair();
    const small = [header, payload(100, 1)];
    assert.equal(offering.stow(small), small);
    let stowed = 0;
    while (offering.stow([header, payload(1 << 20, 1)]).length === 3) stowed++;
    assert.equal(stowed, 32);
    offering.close();
    accepted.close();
    assert.equal(offering.stow(small), small);
  });

  it('has no name once both ends have it open, so that nothing is left behind', () => {
    const before = readdirSync('/dev/shm').filter((name) => name.startsWith('tutti-'));
    const { offering, accepted } = pair();
    const during = readdirSync('/dev/shm').filter((name) => name.startsWith('tutti-'));
    assert.deepEqual(during, before);
    offering.close();
    accepted.close();
  });

  it('is not taken up by who cannot see the file, or sees another', () => {
    const offering = offerLane(() => {})!;
    assert.ok(readOffer([offering.offer]));
    const forged = Buffer.from(offering.offer);
    forged[3]! ^= 1;
    const elsewhere = Buffer.concat([
      offering.offer.subarray(0, 17),
      Buffer.from('../../etc/passwd'),
    ]);
    for (const offer of [forged, elsewhere, Buffer.of(1)])
      assert.equal(
        acceptLane(offer, () => assert.fail('accepted')),
        undefined,
      );
    // Not accepted: payloads stay in the socket's frames.
    assert.equal(offering.stow([header, payload(1 << 20, 1)]).length, 2);
    offering.close();
  });

  it('refuses a reference to what is not there', () => {
    const { offering, accepted } = pair();
    const reference = Buffer.alloc(8);
    reference.writeUInt32LE(32 * 1024 * 1024 - 4, 0);
    reference.writeUInt32LE(8, 4);
    assert.throws(() => accepted.fetch([header, reference, Buffer.alloc(0)]), {
      code: 'BAD_FRAME',
    });
    offering.close();
    accepted.close();
  });
});
