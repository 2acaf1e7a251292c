import { describe, expect, it } from "vitest";
import { describeReport } from "./pons-health";

const account = { id: "a1", name: "Bakery", phoneNumber: "+15550783881" };

describe("the doctor's report", () => {
  it("says what is wrong with a number and what to do about it", () => {
    const checks = [
      {
        name: "token",
        state: "failed",
        say: "WhatsApp does not accept the access token.",
        fix: "rotate_token",
      },
      { name: "name", state: "ok", say: "The name is approved." },
    ];
    const text = describeReport({
      accounts: [{ ...account, state: "active", health: { state: "failed", checks } }],
    });
    expect(text).toContain("Bakery (+15550783881): failed");
    expect(text).toMatch(
      /token +WhatsApp does not accept[^\n]+\n +make a new token[^\n]+accounts rotate-token/,
    );
  });

  it("says how a number that was taken away comes back, and what kept it from looking", () => {
    const text = describeReport({
      accounts: [
        { ...account, state: "detached", health: null },
        { ...account, state: "active", health: null, problem: "The backend did not answer." },
      ],
    });
    expect(text).toContain("accounts reattach");
    expect(text).toContain("failed\n  The backend did not answer.");
  });

  it("says how to begin where no number is connected", () => {
    expect(describeReport({ accounts: [] })).toContain("accounts add");
  });
});
