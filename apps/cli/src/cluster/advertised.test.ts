import assert from 'node:assert/strict';
import { advertised, type HostNames } from './advertised.js';

const names = (...known: string[]): HostNames => ({
  own: 'node7',
  isKnown: async (name) => known.includes(name),
});

describe('where workers are told to connect', () => {
  for (const [listening, advertise, told] of [
    ['tcp://10.0.0.5:1', undefined, 'tcp://10.0.0.5:1'],
    ['tcp://[fd00::1]:1', undefined, 'tcp://[fd00::1]:1'],
    ['tcp://[::]:1', '[fd00::1]', 'tcp://[fd00::1]:1'],
    ['tcp://[::]:1', undefined, 'tcp://node7:1'],
    ['tcp://0.0.0.0:1', undefined, 'tcp://node7:1'],
    ['tcp://10.0.0.5:1', 'head', 'tcp://head:1'],
    ['ipc:///run/x', 'head', 'ipc:///run/x'],
  ] as const)
    it(`${listening}, advertised as ${advertise ?? 'nothing'}, is ${told}`, async () => {
      const known = names('node7', 'head', 'fd00::1');
      assert.deepEqual(await advertised(listening, advertise, known), { address: told });
    });

  it('is warned of where not even this machine knows the name, with what to give', async () => {
    const { address, warning } = await advertised('tcp://[::]:1', undefined, names('head'));
    assert.equal(address, 'tcp://node7:1');
    assert.match(JSON.stringify(warning), /by the name node7.*--advertise/);
  });
});
