import assert from 'node:assert/strict';
import { resolveSettings } from '@tutti/config';
import { DEADLINES } from '@tutti/coordinator/internal';
import { roleSettings } from './role-settings.js';

const given = (flags: Readonly<Record<string, string>> = {}) =>
  roleSettings(resolveSettings({ flags, command: 'train' }).settings);

describe('what the roles read of the settings', () => {
  it('is what was given, by the same name, and nothing that is for the command alone', () => {
    const settings = given({ steps: '7', verify: '0.5', resume: 'latest', logLevel: 'debug' });
    const { steps, verify, resume } = settings;
    assert.deepEqual({ steps, verify, resume }, { steps: 7, verify: 0.5, resume: 'latest' });
    assert.ok(!('logLevel' in settings));
  });

  it('has deadlines by the names of their settings, and where nobody gives one, that of the library', () => {
    assert.deepEqual(given().deadlines, DEADLINES);
    assert.deepEqual(given({ stepDeadlineMs: '3' }).deadlines, { ...DEADLINES, stepMs: 3 });
  });

  it('has a pause between signs of life that gives way to their deadline', () => {
    assert.deepEqual(given({ heartbeatDeadlineMs: '300' }).heartbeat, {
      heartbeatMs: 150,
      timeoutMs: 300,
    });
  });

  it('says a number of steps and a time apart', () => {
    assert.deepEqual(given({ checkpointEvery: '50' }).checkpointEvery, { steps: 50 });
    assert.deepEqual(given({ checkpointEvery: '2s' }).checkpointEvery, { ms: 2000 });
  });

  it('knows what a network allows in bits and milliseconds', () => {
    assert.equal(given().network, undefined);
    const { network } = given({ network: 'rate=100mbit,delay=2ms' });
    assert.deepEqual(network, { bitsPerSecond: 1e8, delayMs: 2 });
  });
});
