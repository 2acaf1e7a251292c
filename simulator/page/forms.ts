import { getText, type JsonObject } from "#shared/whatsapp/json";
import type { Act } from "./acts";
import { ask, openDialog } from "./dialogs";
import { button, element } from "./dom";
import { icon } from "./icons";
import { objectsIn } from "./message-text";

/** The places that are offered; the first one is filled in. */
const PLACE = {
  place: "Lucky Shrub",
  address: "1 Hacker Way, Menlo Park",
  latitude: "37.4847",
  longitude: "-122.1484",
};

export async function sendLocation(act: Act): Promise<void> {
  const answer = await ask({
    title: "Send a location",
    submit: "Send",
    fields: [
      { name: "place", label: "Name", value: PLACE.place },
      { name: "address", label: "Address", value: PLACE.address },
      {
        name: "latitude",
        label: "Latitude",
        type: "number",
        value: PLACE.latitude,
        min: -90,
        max: 90,
        step: "any",
        required: true,
      },
      {
        name: "longitude",
        label: "Longitude",
        type: "number",
        value: PLACE.longitude,
        min: -180,
        max: 180,
        step: "any",
        required: true,
      },
    ],
  });
  if (answer === null) return;
  await act({
    type: "location",
    latitude: Number(answer.get("latitude")),
    longitude: Number(answer.get("longitude")),
    ...given(answer, "place", "address"),
  });
}

export async function sendContact(act: Act): Promise<void> {
  const answer = await ask({
    title: "Send a contact",
    submit: "Send",
    fields: [
      { name: "name", label: "Name", value: "Mara Lindqvist", required: true },
      { name: "phone", label: "Phone", type: "tel", value: "+46701234567" },
      { name: "email", label: "E-mail", type: "email" },
      { name: "company", label: "Company" },
    ],
  });
  if (answer === null) return;
  const [name = "", phone, email, company] = ["name", "phone", "email", "company"].map((key) =>
    answer.get(key),
  );
  const [first = name, ...others] = name.split(" ");
  await act({
    type: "contacts",
    contacts: [
      {
        name: {
          formatted_name: name,
          first_name: first,
          ...(others.length > 0 && { last_name: others.join(" ") }),
        },
        ...(phone && { phones: [{ phone, wa_id: phone.replace(/\D/g, ""), type: "CELL" }] }),
        ...(email && { emails: [{ email, type: "WORK" }] }),
        ...(company && { org: { company } }),
      },
    ],
  });
}

/** The person gives the own number to a business that knows a username alone. */
export async function shareContactInfo(act: Act): Promise<void> {
  const answer = await ask({
    title: "Share contact info",
    explain: "The business gets your name and number.",
    submit: "Share",
    fields: [
      { name: "name", label: "Name", required: true, value: "Me" },
      { name: "phone", label: "Phone", type: "tel", required: true },
    ],
  });
  if (answer === null) return;
  const phone = answer.get("phone") ?? "";
  const card = {
    name: { formatted_name: answer.get("name") },
    phones: [{ phone, wa_id: phone.replace(/\D/g, ""), type: "CELL" }],
    origin: "contact_request",
  };
  await act({ type: "contacts", contacts: [card] });
}

const PRODUCTS = ["succulent-small", "terracotta-pot"];

export async function sendOrder(
  { catalog, products }: { readonly catalog: string; readonly products: readonly string[] },
  act: Act,
): Promise<void> {
  const offered = products.length === 0 ? PRODUCTS : products;
  const answer = await ask({
    title: "Place an order",
    submit: "Send to business",
    fields: [
      ...offered.map((id, index) => ({
        name: id,
        label: `${id} (12.50 USD)`,
        type: "number" as const,
        value: index === 0 ? "1" : "0",
        min: 0,
        max: 99,
        required: true,
      })),
      { name: "text", label: "Note", hint: "Optional" },
    ],
  });
  if (answer === null) return;
  const items = offered.flatMap((id) => {
    const quantity = Number(answer.get(id));
    return quantity < 1 ? [] : [{ product_retailer_id: id, quantity, item_price: 12.5, currency: "USD" }];
  });
  if (items.length === 0) return;
  await act({
    type: "order",
    order: { catalog_id: catalog, product_items: items, ...given(answer, "text") },
  });
}

/** The person fills in a form of the business; what it asks is not known here, so the answers are free. */
export async function completeFlow(title: string, token: string | undefined, act: Act): Promise<void> {
  const answer = await ask({
    title,
    explain:
      "The simulator does not have the screens of a flow. These answers go back as if it had been completed.",
    submit: "Complete",
    fields: [
      { name: "name", label: "Name", value: "Sheena Nelson" },
      { name: "date", label: "Date", value: "2026-12-01" },
      { name: "comment", label: "Comment", type: "textarea" },
    ],
  });
  if (answer === null) return;
  const response = { ...Object.fromEntries(answer), ...(token !== undefined && { flow_token: token }) };
  await act({ type: "nfm_reply", flow: "flow", response });
}

export async function sendAddress(act: Act): Promise<void> {
  const answer = await ask({
    title: "Provide address",
    submit: "Send address",
    fields: [
      { name: "name", label: "Name", value: "Asha Rao", required: true },
      { name: "phone_number", label: "Phone", type: "tel", value: "+919876543210", required: true },
      { name: "address", label: "Address", value: "12 Residency Road", required: true },
      { name: "city", label: "City", value: "Bengaluru" },
      { name: "in_pin_code", label: "PIN code", value: "560025" },
    ],
  });
  if (answer === null) return;
  await act({ type: "nfm_reply", flow: "address_message", response: { values: Object.fromEntries(answer) } });
}

/** The rows of a list message; choosing one answers with it. */
export function chooseFromList(title: string, action: JsonObject | undefined, act: Act): void {
  const sections = objectsIn(action, "sections").map((section) => {
    const rows = objectsIn(section, "rows").map((row) => {
      const name = getText(row, "title") ?? "";
      const description = getText(row, "description");
      const face = element(
        "span",
        {},
        element("strong", {}, name),
        description && element("small", {}, description),
      );
      const choose = () => {
        dialog.close();
        void act({
          type: "list_reply",
          reply_id: getText(row, "id"),
          title: name,
          ...(description !== undefined && { description }),
        });
      };
      return element("li", {}, button(element("span", { class: "row" }, face, icon("out")), choose));
    });
    const heading = getText(section, "title");
    return element(
      "section",
      {},
      heading !== undefined && element("h3", {}, heading),
      element("ul", {}, ...rows),
    );
  });
  const dialog = openDialog(title, element("div", { class: "choices" }, ...sections));
}

export async function sendUnsupported(act: Act): Promise<void> {
  const answer = await ask({
    title: "Send what the Cloud API does not hand over",
    explain: "The business hears only that there was something.",
    submit: "Send",
    fields: [
      {
        name: "label",
        label: "Kind",
        type: "select",
        options: [
          ["poll", "Poll"],
          ["event", "Event"],
          ["live_location", "Live location"],
          ["", "Not named"],
        ],
      },
    ],
  });
  if (answer !== null) await act({ type: "unsupported", ...given(answer, "label") });
}

/** The person taps an advertisement and writes; answers are then free for three days. */
export async function comeFromAd(act: Act): Promise<void> {
  const answer = await ask({
    title: "Come from an ad",
    submit: "Send",
    fields: [
      {
        name: "source_type",
        label: "Tapped on",
        type: "select",
        options: [
          ["ad", "An advertisement"],
          ["post", "A post"],
        ],
      },
      { name: "headline", label: "Headline", value: "Spring plants, 20% off", required: true },
      { name: "ad_text", label: "Text of the ad", value: "Chat with us on WhatsApp" },
      { name: "source_url", label: "Address", type: "url", value: "https://fb.me/3cr4Wqqkv", required: true },
      { name: "body", label: "First message", value: "Hi! Is the offer still on?", required: true },
    ],
  });
  if (answer === null) return;
  const referral = {
    source_url: answer.get("source_url"),
    source_id: "120226305854810726",
    source_type: answer.get("source_type"),
    headline: answer.get("headline"),
    body: answer.get("ad_text"),
    media_type: "image",
    ctwa_clid:
      "Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchptiErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50",
  };
  await act({ type: "text", body: answer.get("body"), referral });
}

/** Those of the answers that are not empty. */
function given(answer: ReadonlyMap<string, string>, ...names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, answer.get(name) ?? ""] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}
