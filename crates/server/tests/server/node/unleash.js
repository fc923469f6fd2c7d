// Follows a server by Unleash's own client, and prints what it sees as lines of JSON.
const { initialize } = require('unleash-client');

const print = (value) => console.log(JSON.stringify(value));

const unleash = initialize({
  url: process.argv[2],
  appName: 'test',
  instanceId: 'test-1',
  refreshInterval: 100,
  metricsInterval: 300,
  disableMetrics: false,
  customHeaders: { Authorization: 'not needed' },
});

unleash.on('error', (error) => console.error(error));
unleash.on('warn', (warning) => console.error(warning));

// The client's own timers do not keep a program alive.
setInterval(() => {}, 1000);

let begun = false;
const seen = new Set();
const once = (event) => {
  if (!seen.has(event)) {
    seen.add(event);
    if (begun) print({ event });
  }
};
unleash.on('registered', () => once('registered'));
unleash.on('sent', () => once('sent'));
unleash.on('changed', () => {
  if (begun) print({ event: 'changed', boolean: unleash.isEnabled('boolean', { userId: '1' }) });
});

unleash.once('synchronized', () => {
  const half = {};
  for (let key = 0; key < 100; key += 1) half[key] = unleash.isEnabled('half', { userId: String(key) });
  print({
    boolean: unleash.isEnabled('boolean', { userId: '1' }),
    none: unleash.isEnabled('none', { userId: '1' }),
    text: unleash.getVariant('text', { userId: '1' }),
    half,
  });
  begun = true;
  for (const event of ['registered', 'sent']) if (seen.has(event)) print({ event });
});
