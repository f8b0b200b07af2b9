import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMANDS, flagOf, settingsOf } from '@tutti/config';
import { inTemporaryFolder, LINE, tutti } from './testing.js';

describe('wrong usage', () => {
  const cases: [string, RegExp][] = [
    ['train', /missing required argument 'program'.*tutti train --help/],
    ['trian', /unknown command 'trian'.*Did you mean train\?/],
    ['train x.ts --wrokers 3', /unknown option '--wrokers'.*Did you mean --workers\?/],
    ['train x.ts --workers', /--workers <count>.*Give it a whole number from 0 to 4096/],
    ['worker x.ts --listen tcp://a:1', /unknown option '--listen'/],
    ['server x', /too many arguments/],
  ];
  for (const [args, line] of cases) {
    it(`exits with 2 and one line on stderr: tutti ${args}`, async () => {
      const { code, stdout, stderr } = await tutti(args.split(' '));
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, line);
      assert.equal(stderr.split('\n').length, 2);
    });
  }

  it('exits with 2 for impossible settings, naming where they come from', async () => {
    const flag = await tutti(['train', LINE, '--workers', '-1']);
    assert.equal(flag.code, 2);
    assert.match(flag.stderr, /^error BAD_CONFIG: workers \(flag --workers\) is "-1"/);
    const variable = await tutti(['train', LINE], { environment: { TUTTI_SEEDS: '1' } });
    assert.equal(variable.code, 2);
    assert.match(variable.stderr, /TUTTI_SEEDS \(environment\)[\s\S]*Did you mean TUTTI_SEED\?/);
    const nobody = await tutti(['coordinator', '--workers', '0']);
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /workers \(flag --workers\) is 0/);
    const shards = await tutti(['train', LINE, '--workers', '5']);
    assert.equal(shards.code, 2);
    assert.match(shards.stderr, /workers 5 \(flag --workers\).*shards 4 \(program .*line\.ts\)/);
  });

  it('shows the commands if none was given', async () => {
    const { code, stderr } = await tutti([]);
    assert.equal(code, 2);
    for (const command of COMMANDS) assert.match(stderr, new RegExp(`^ {2}${command} `, 'm'));
  });
});

describe('help', () => {
  it('lists every setting of every command, with examples', async () => {
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await tutti([command, '--help']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /Examples:\n {2}\$ /);
      for (const name of settingsOf(command))
        assert.ok(stdout.includes(`  ${flagOf(name)} `), name);
    }
  });

  it('says of a setting what holds for the command that is asked', async () => {
    const defaults = { train: 'tcp://127.0.0.1:0', coordinator: 'tcp://127.0.0.1:29500' };
    for (const [command, address] of Object.entries(defaults)) {
      const { stdout } = await tutti([command, '--help']);
      assert.match(stdout.replace(/\s+/g, ' '), new RegExp(`a free one \\(default: ${address}\\)`));
    }
  });

  it('is there for the version too', async () => {
    assert.match((await tutti(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('settings from everywhere', () => {
  it('reach the run: flag over environment over file over program', () =>
    inTemporaryFolder(async (folder) => {
      const config = join(folder, 'settings.toml');
      await writeFile(config, 'steps = 5\nseed = 5\nepochs = 5\n');
      const { json } = await tutti(
        ['train', LINE, '--config', config, '--json', '--workers=0', '--steps=3'].concat(
          '--checkpoint-dir',
          folder,
        ),
        { environment: { TUTTI_STEPS: '4', TUTTI_EPOCHS: '4' } },
      );
      const events = json();
      assert.equal(events.find(({ event }) => event === 'started')!.steps, 3);
      assert.equal(events.at(-1)!.steps, 3);
    }));
});
