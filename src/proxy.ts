/** Next looks for its proxy beside `src/app`; the code is in the root `middleware.ts`. */
export { middleware as proxy } from "../middleware";

export const config = {
  matcher: ["/((?!api(?:/|$)|_next(?:/|$)|docs(?:/|$)|og(?:/|$)|\\.well-known(?:/|$)|.*\\.[a-z0-9]+$).*)"],
};
