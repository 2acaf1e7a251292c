import { bridgeStdio } from "./stdio-bridge";
import { channelSenders } from "./stdio-channel";
import { remoteEndpoint, requireKey, runOverStdio, UnusableSettings } from "./stdio-settings";

/**
 * The program of the `.mcpb` bundle (`npm run mcpb`): carries MCP between a client on this machine and an installation
 * elsewhere. It is one file that needs nothing but Node, so it knows neither our server nor its packages.
 */
void runOverStdio(async () => {
  const key = requireKey(process.env);
  const url = remoteEndpoint(process.env);
  if (url === null) {
    throw new UnusableSettings(
      "PONS_URL is not set: the address of your installation, like https://pons.example.com.",
    );
  }
  const { stdin: input, stdout: output } = process;
  await bridgeStdio({ url, key, input, output, senders: channelSenders(process.env) });
});
