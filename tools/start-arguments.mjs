const EXAMPLE = 'examples/src/mnist-convnet.ts';
const COMMANDS = new Set(['train', 'coordinator', 'server', 'worker', 'eval', 'export', 'doctor']);
/** Nothing is trained, so TensorFlow's library need not be there. */
const LOOKS = new Set(['--help', '-h', '--version', 'doctor']);

/**
 * What `npm start -- <args>` gives to the command line of Tutti: a command as it is; otherwise
 * `train`, with the example unless a program is named.
 *
 * @param {readonly string[]} args
 * @returns {{ args: string[], native: boolean }} `native`: whether TensorFlow's library is needed.
 */
export function startArguments(args) {
  const native = !args.some((argument) => LOOKS.has(argument));
  if (args.length > 0 && COMMANDS.has(args[0])) return { args: [...args], native };
  const program = args.find((argument) => /^[^-].*\.[cm]?[jt]s$/.test(argument));
  return { args: ['train', ...(program ? [] : [EXAMPLE]), ...args], native };
}
