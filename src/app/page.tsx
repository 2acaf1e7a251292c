import type { Metadata } from "next";
import { Landing } from "@/components/landing/Landing";

export const metadata: Metadata = {
  title: { absolute: "Pons: WhatsApp for people and AI agents" },
  description:
    "Pons connects the WhatsApp Cloud API with a live inbox for your team and with any MCP client. It runs on one machine after npm install.",
};

export default function LandingPage() {
  return <Landing />;
}
