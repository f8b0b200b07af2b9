import assert from 'node:assert/strict';
import { normalizeAddress } from './address.js';
import { flagOf, settingsOf, variableOf } from './names.js';
import { COMMANDS } from './setting.js';
import { SETTING_NAMES, settingOf } from './settings.js';
import { allowedText, checkValue } from './values.js';

describe('names of settings', () => {
  it('follow from one another and are distinct', () => {
    assert.equal(flagOf('stepDeadlineMs'), '--step-deadline-ms');
    assert.equal(variableOf('stepDeadlineMs'), 'TUTTI_STEP_DEADLINE_MS');
    assert.equal(new Set(SETTING_NAMES.map(variableOf)).size, SETTING_NAMES.length);
  });
});

describe('the table of settings', () => {
  it('has a fitting default, a description and a command for every setting', () => {
    for (const name of SETTING_NAMES) {
      const setting = settingOf(name);
      assert.ok(setting.doc.length > 5 && setting.commands.length > 0, name);
      assert.ok(allowedText(setting).length > 5, name);
      if (setting.default !== undefined) {
        assert.deepEqual(checkValue(setting, setting.default), setting.default, name);
      }
    }
    for (const command of COMMANDS) assert.ok(settingsOf(command).includes('json'), command);
  });
});

describe('addresses', () => {
  it('are brought into one form', () => {
    const forms: [string, string | undefined][] = [
      ['10.0.0.5:29500', 'tcp://10.0.0.5:29500'],
      ['tcp://host-1.cluster:0', 'tcp://host-1.cluster:0'],
      ['tcp://*:7000', 'tcp://*:7000'],
      ['[::1]:7000', 'tcp://[::1]:7000'],
      ['ipc:///run/tutti', 'ipc:///run/tutti'],
      ['host', undefined],
      ['host:', undefined],
      ['host:65536', undefined],
      ['http://host:80', undefined],
      ['tcp://:80', undefined],
      ['::1:80', 'tcp://[::1]:80'],
      ['tcp://fd00::1:80', 'tcp://[fd00::1]:80'],
      ['[fe80::1%eth0]:80', 'tcp://[fe80::1%eth0]:80'],
      ['fd00:::1:80', undefined],
      ['[head]:80', undefined],
      ['head:80:90', undefined],
      ['ipc://', undefined],
      ['a b:80', undefined],
    ];
    for (const [given, expected] of forms) assert.equal(normalizeAddress(given), expected, given);
  });
});
