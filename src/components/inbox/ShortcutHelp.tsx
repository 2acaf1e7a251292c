"use client";

import { useId } from "react";
import { useSingleKeys } from "@/hooks/use-shortcuts";
import { COMPOSER_KEYS, SHORTCUTS } from "@/lib/shortcuts";
import { Dialog, DialogContent, DialogDescription, DialogTitle } from "../ui/dialog";
import { Kbd } from "../ui/kbd";
import { Label } from "../ui/label";
import { Switch } from "../ui/switch";

/** All keys in one place, and the switch for those that are a single character. */
export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const [isOn, setOn] = useSingleKeys();
  const switchId = useId();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent>
        <DialogTitle>Keyboard shortcuts</DialogTitle>
        <DialogDescription>They rest while you type.</DialogDescription>
        <dl className="grid gap-1 text-sm">
          {[...SHORTCUTS, ...COMPOSER_KEYS].map(({ says, shown }) => (
            <div key={says} className="flex min-h-8 items-center justify-between gap-4">
              <dt>{says}</dt>
              <dd className="flex gap-1">
                {shown.map((key) => (
                  <Kbd key={key}>{key}</Kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <div className="flex items-center justify-between gap-4 border-t pt-4">
          <Label htmlFor={switchId}>Shortcuts of a single character</Label>
          <Switch id={switchId} checked={isOn} onCheckedChange={setOn} />
        </div>
      </DialogContent>
    </Dialog>
  );
}
