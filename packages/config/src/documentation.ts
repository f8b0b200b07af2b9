import { flagOf, variableOf } from './names.js';
import { COMMANDS } from './setting.js';
import { SETTING_NAMES, settingOf } from './settings.js';
import { fallbackText } from './sources.js';
import { allowedText } from './values.js';

/** The table of docs/CONFIGURATION.md, line by line. */
export function settingsTable(): readonly string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  return [
    '| Setting | Flag | Variable | Allowed | If not set | Commands | What it is |',
    '|---|---|---|---|---|---|---|',
    ...SETTING_NAMES.map((name) => {
      const setting = settingOf(name);
      const cells = [
        `\`${name}\``,
        `\`${flagOf(name)}\``,
        `\`${variableOf(name)}\``,
        allowedText(setting),
        fallbackText(name),
        setting.commands.length === COMMANDS.length ? 'all' : setting.commands.join(', '),
        setting.doc,
      ];
      return `| ${cells.map(cell).join(' | ')} |`;
    }),
  ];
}
