import { cva } from "class-variance-authority";

/** The shapes of a button, for the rare element that cannot be a `Button`. */
export const buttonVariants = cva(
  "inline-flex shrink-0 cursor-pointer select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium text-sm transition-colors disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-not-allowed aria-disabled:opacity-55 [&_svg]:pointer-events-none [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        default: "bg-primary text-primary-foreground hover:bg-primary/90",
        outline: "border border-border bg-background hover:bg-accent hover:text-accent-foreground",
        ghost: "hover:bg-accent hover:text-accent-foreground",
        link: "text-primary underline underline-offset-4 hover:no-underline",
      },
      size: {
        default: "touch-target h-9 px-4",
        sm: "touch-target h-8 px-3",
        lg: "h-11 px-5 text-base",
        icon: "touch-target size-9",
        text: "h-auto p-0",
      },
    },
    defaultVariants: { variant: "default", size: "default" },
  },
);
