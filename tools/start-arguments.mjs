const EXAMPLE = 'examples/src/mnist-convnet.ts';
/** Nothing is computed, so TensorFlow's library need not be there. */
const LOOKS = new Set(['--help', '-h', '--version', '-V']);
export const WITHOUT_PROGRAM = ['coordinator', 'server', 'status', 'setup', 'doctor', 'help'];

/**
 * Whether `npm start -- <args>` needs TensorFlow's library.
 *
 * @param {readonly string[]} args
 * @returns {boolean}
 */
export function needsTensorflow(args) {
  return !WITHOUT_PROGRAM.includes(args[0]) && !args.some((argument) => LOOKS.has(argument));
}

/**
 * What `npm start -- <args>` gives to the command line of Tutti: a command as it is; otherwise
 * `train`, with the example unless a program is named.
 *
 * @param {readonly string[]} args
 * @param {readonly string[]} commands those of the command line
 * @returns {string[]}
 */
export function startArguments(args, commands) {
  const asTheyAre = [...commands, 'help', '--version', '-V'];
  if (asTheyAre.includes(args[0])) return [...args];
  const program = args.find((argument) => /^[^-].*\.[cm]?[jt]s$/.test(argument));
  return ['train', ...(program ? [] : [EXAMPLE]), ...args];
}
