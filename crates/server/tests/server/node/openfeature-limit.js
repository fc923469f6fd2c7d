// Asks faster than the server allows, and prints how often it was refused and how often the provider did not even ask.
const { OpenFeature } = require('@openfeature/server-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');

async function main(baseUrl) {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }));
  const client = OpenFeature.getClient();
  const seen = { limited: 0, paused: 0 };
  for (let turn = 0; turn < 20; turn += 1) {
    const details = await client.getBooleanDetails('none', false, { targetingKey: '1' });
    const message = details.errorMessage || '';
    if (message.includes('paused')) seen.paused += 1;
    else if (details.errorCode !== 'FLAG_NOT_FOUND') seen.limited += 1;
  }
  console.log(JSON.stringify(seen));
}

main(process.argv[2]);
