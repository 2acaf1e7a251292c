import { startSimulator } from "../../simulator/simulator";
import { freePorts } from "../support/engine-process";
import { Template } from "./deployment";
import { Meta } from "./meta";

/** What all weeks of a run share: Meta, and the functions as pushed. */
export interface Stage {
  meta: Meta;
  template: Template;
  close(): Promise<void>;
}

/** Starts the simulator and pushes the functions once; the webhooks go straight to the backend's own address. */
export async function openStage(): Promise<Stage> {
  const ports = await freePorts();
  const simulator = await startSimulator({
    port: 0,
    webhookUrl: `http://127.0.0.1:${ports.sitePort}/webhook`,
    statusDelaysMs: { sent: 5, delivered: 20, read: 60 },
  });
  const template = await Template.push(simulator.url, ports);
  return {
    meta: new Meta(simulator.url),
    template,
    close: async () => {
      await simulator.close();
      template.remove();
    },
  };
}
