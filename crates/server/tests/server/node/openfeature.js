// Asks a server by OpenFeature's own SDK and provider, and prints each answer as a line of JSON.
const { OpenFeature } = require('@openfeature/server-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');

const print = (value) => console.log(JSON.stringify(value));

async function main(baseUrl) {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }));
  const client = OpenFeature.getClient();
  const me = { targetingKey: 'user-1', plan: 'pro', nested: { deep: true } };
  print(await client.getBooleanDetails('boolean', false, me));
  print(await client.getStringDetails('text', 'mine', me));
  print(await client.getNumberDetails('number', 0, me));
  print(await client.getObjectDetails('object', {}, me));
  print(await client.getStringDetails('none', 'mine', me));
  print(await client.getBooleanDetails('text', true, me));
  print(await client.getBooleanDetails('half', false, {}));
  const halves = {};
  for (let key = 0; key < 100; key += 1) {
    halves[key] = await client.getBooleanValue('half', false, { targetingKey: String(key) });
  }
  print(halves);
}

main(process.argv[2]);
